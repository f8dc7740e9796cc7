"""Data races of C, by bytes: which pairs of accesses are told, under each mode, and that nothing ends with one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.c.module import Code
from actors.runtime.world import Session, World
from tests.explore.searching import search
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Report

from .racing import Fill, module, needs_c, race
from .test_module import said

SOURCE = """#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
int x, y; long copy[2]; struct { char a, b; short c; } near; volatile int always; int *pointer = &x, own;
static DEFINE_MUTEX(lock); static struct completion done; struct workqueue_struct *wq;
static void works(struct work_struct *work) { x++; }
static DECLARE_WORK(work, works);
void setup(void) { wq = alloc_workqueue("wq", 0, 0); }
void counts(void) {
 x++; }
void stores(void) {
 x = 2; }
void stores_once(void) {
 WRITE_ONCE(x, 3); }
void loads(void) {
 y = x; }
void loads_once(void) {
 y = READ_ONCE(x); }
void adds(void) {
 atomic_inc((atomic_t *)&x); }
void exempts(void) {
 y = data_race(x); }
void first_byte(void) { near.a = near.a + 1; }
void second_byte(void) { near.b = near.b + 1; }
void both_bytes(void) {
 near.c = *(volatile short *)&near.a; }
void zeroes(void) {
 memset(copy, 0, sizeof copy); }
void fills(void) {
 copy[1] = 1; }
void is_volatile(void) {
 always = 1; }
void reads_volatile(void) {
 y = always; }
void in_assembly(void) {
 __asm__ volatile("incl %0" : "+m"(x)); }
void locked(void) { mutex_lock(&lock); x++; mutex_unlock(&lock); }
void completes(void) { x++; complete(&done); }
void waits(void) { wait_for_completion(&done); x++; }
void queues(void) { x++; queue_work(wq, &work); }
void unaligned(void) {
 *(int *)((char *)&x + 1) = 1; }
"""
NONE = list[str]()
CASES: dict[tuple[str, ...], tuple[list[str], list[str]]] = {
    ("counts", "counts"): (
        ["x: load at race.c:12 (plain) and store at race.c:12 (plain)"],
        [
            "x: load at race.c:12 (plain) and store at race.c:12 (plain)",
            "x: store at race.c:12 (plain) and store at race.c:12 (plain)",
        ],
    ),
    ("stores", "stores_once"): (NONE, ["x: store at race.c:14 (plain) and store at race.c:16 (marked)"]),
    ("stores", "loads_once"): (NONE, ["x: load at race.c:20 (marked) and store at race.c:14 (plain)"]),
    ("stores", "loads"): 2 * (["x: load at race.c:18 (plain) and store at race.c:14 (plain)"],),
    ("stores_once", "loads"): 2 * (["x: load at race.c:18 (plain) and store at race.c:16 (marked)"],),
    ("stores_once", "loads_once"): 2 * (NONE,),
    ("adds", "loads"): 2 * (["x: load at race.c:18 (plain) and store at race.c:22 (marked)"],),
    ("adds", "stores"): (NONE, ["x: store at race.c:14 (plain) and store at race.c:22 (marked)"]),
    ("stores", "exempts"): 2 * (NONE,),
    ("first_byte", "second_byte"): 2 * (NONE,),
    ("is_volatile", "reads_volatile"): 2 * (NONE,),
    ("in_assembly", "loads"): 2 * (["x: load at race.c:18 (plain) and store at race.c:38 (marked)"],),
    ("zeroes", "fills"): 2 * (["copy[1]: store at race.c:30 (plain, of several) and store at race.c:32 (plain)"],),
    ("unaligned", "stores_once"): 2 * (["x: store at race.c:16 (marked) and store at race.c:44 (plain)"],),
    ("locked", "locked"): 2 * (NONE,),
    ("completes", "waits"): 2 * (NONE,),
}


def searched(folder: Path, mode: str, *threads: str, fill: Fill | None = None) -> Report:
    subject, session = race(module(folder, SOURCE), *threads, fill=fill), Session(races=mode)
    return search(lambda: subject.world(session, {}), Dpor())


def told(report: Report) -> list[str]:
    return sorted(item.race.said for item in report.races.values())


@needs_c
@pytest.mark.parametrize("threads", CASES, ids="-".join)
def test_which_accesses_race(tmp_path: Path, threads: tuple[str, ...]) -> None:
    reports = [searched(tmp_path, mode, *threads) for mode in ("default", "strict", "ignore")]
    assert tuple(map(told, reports)) == (*CASES[threads], NONE)
    assert [(report.complete, report.failing) for report in reports] == 3 * [(True, 0)]


@needs_c
def test_a_queued_work_comes_behind_what_its_queuer_did(tmp_path: Path) -> None:
    def fill(world: World, code: Code) -> None:
        world.add_actor("worker", code.worker("wq"), daemon=True)

    assert told(searched(tmp_path, "strict", "queues", fill=fill)) == NONE
    (race,) = told(searched(tmp_path, "default", "queues", "loads", fill=fill))[1:]
    assert race == "x: load at race.c:18 (plain) and store at race.c:8 (plain)"


@needs_c
def test_races_are_listed_beside_the_verdict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also by several processes, from a checkpoint, and by a hunt; they change no exit code."""
    monkeypatch.chdir(tmp_path)
    Path("race.c").write_text(SOURCE)
    threads = ("race.c", "--thread", "counts", "--thread", "loads")
    lines = [
        "Data races (as KCSAN tells them by default): 1.",
        "  x: load at race.c:18 (plain) and store at race.c:12 (plain)",
    ]
    for more in (("-j", "2"), ("--checkpoint", "left")):
        result = said("prove", *threads, *more)
        assert (result.exit_code, result.stdout.splitlines()[:2]) == (0, lines)
    assert said("prove", "--resume", "left").stdout.splitlines()[:2] == lines
    result = said("fuzz", *threads, "--races", "strict", "--schedules", "9")
    assert result.stdout.splitlines()[:2] == ["Data races (strictly): 1 seen.", lines[1]]
    assert "Data races" not in said("prove", *threads, "--races", "ignore").stdout
    document = json.loads(said("prove", *threads, "--json").stdout)
    (found,) = document["data_races"]
    assert (found["what"], len(found["accesses"]), found["token"][:4]) == ("x", 2, "sm1:")
