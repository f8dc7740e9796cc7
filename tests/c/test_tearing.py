"""What compilers hide: each of these must be found at every level of optimisation, or a proof says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from .racing import COMPILERS, found, module, needs_c, proved, race

_PAIR = """
typedef unsigned long u64;
void *memset(void *, int, u64);
static int torn;
int broken(void) { return torn; }
"""
COPY = (
    _PAIR
    + """
struct pair { u64 a, b; } shared = { 1, 1 }, next = { 2, 2 };
void writer(void) { shared = next; }
void reader(void) { struct pair seen = shared; if (seen.a != seen.b) torn = 1; }
"""
)
ZEROING = (
    _PAIR
    + """
struct big { u64 w[12]; } shared;
void setup(void) { for (int i = 0; i < 12; i++) shared.w[i] = 1; }
void writer(void) { shared = (struct big){ 0 }; }
void reader(void) { u64 last = shared.w[11]; if (last == 0 && shared.w[0] == 0) return;
  if (shared.w[0] != shared.w[11]) torn = 1; }
"""
)
BITFIELD = """
struct bits { unsigned a : 3, b : 5; } flags;
void writer(void) { flags.a = 5; }
void reader(void) { flags.b = 9; }
int broken(void) { return flags.a != 5 || flags.b != 9; }
"""
MEMSET = (
    _PAIR
    + """
static u64 shared[3];
void setup(void) { shared[0] = shared[1] = shared[2] = ~0UL; }
void writer(void) { memset(shared, 0, sizeof shared); }
void reader(void) { u64 first = shared[0], last = shared[2]; if (first != last) torn = 1; }
"""
)
ENTRY = (
    _PAIR
    + """
struct entry { u64 w[4]; } table, valid = { { 1, 1, 1, 1 } };
void writer(void) { table = valid; }
void reader(void) { struct entry seen = table; if (seen.w[0] != seen.w[3]) torn = 1; }
"""
)
COUNTER = """
int count;
void writer(void) { count++; }
void reader(void) { count++; }
int broken(void) { return count != 2; }
"""
ATOMIC = COUNTER.replace("count++", "__atomic_fetch_add(&count, 1, __ATOMIC_RELAXED)")
LOCAL = """
int count;
void writer(void) { int own[4] = { 0 }; for (int i = 0; i < 4; i++) own[i & 3] += i; if (own[3] != 3) count = 1; }
void reader(void) { writer(); }
int broken(void) { return count; }
"""
RACES = {"copy": COPY, "zeroing": ZEROING, "bit-field": BITFIELD, "memset": MEMSET, "entry": ENTRY, "counter": COUNTER}


@needs_c
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
@pytest.mark.parametrize("name", RACES)
def test_what_a_compiler_tears_is_torn(tmp_path: Path, name: str, level: str, compiler: str) -> None:
    code = module(tmp_path, RACES[name], flags=[level], compiler=compiler)
    assert found(proved(race(code, "writer", "reader"))) == {"nothing is broken": "broken"}


@needs_c
@pytest.mark.parametrize("level", ["-O0", "-O1", "-O2", "-O3", "-Os"])
def test_what_is_atomic_or_nobody_elses_holds(tmp_path: Path, level: str) -> None:
    report = proved(race(module(tmp_path, ATOMIC, flags=[level]), "writer", "reader"))
    assert (found(report), report.schedules, report.steps) == ({}, 2, 4)
    report = proved(race(module(tmp_path, LOCAL, flags=[level]), "writer", "reader"))
    assert (found(report), report.schedules) == ({}, 1)
