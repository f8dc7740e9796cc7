"""Small random programs in C: what a proof sees of final states and findings is what every single schedule shows."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import pytest

from actors.c.module import CModule, Code
from actors.runtime.runs.data_races import Key, may_race
from actors.runtime.runs.execution import Execution
from actors.runtime.world import Session, World
from scenarios.scenario import Scenario, scenario
from tests.explore.searching import search
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Strategy
from tools.explore.strategies.bounded import Bounded, nothing

from .racing import module, needs_c

_HEAD = """
#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
struct node { int v, w; };
struct state {
  int x, y; struct { unsigned a : 3, b : 5; } bits; struct { u64 p, q; } pair, other; struct node *node; int *own;
};
static DEFINE_MUTEX(lock);
static DEFINE_SPINLOCK(spin);
"""
STATEMENTS = (
    (2, "S.x++;"),
    (2, "S.y = S.x + {k};"),
    (1, "S.x = {k};"),
    (1, "atomic_add({k}, (atomic_t *)&S.x);"),
    (2, "S.bits.a = {k};"),
    (2, "S.bits.b += {k};"),
    (4, "S.pair = S.other;"),
    (2, "S.other.q = S.pair.p + {k};"),
    (4, "mutex_lock(&lock); S.y += {k}; mutex_unlock(&lock);"),
    (3, "spin_lock(&spin); S.x = {k}; spin_unlock(&spin);"),
    (2, "if (READ_ONCE(S.x) == {k}) S.y = {k};"),
    (2, "struct node *n = kzalloc(sizeof *n, GFP_KERNEL); n->w = {k}; S.node = n;"),
    (3, "struct node *n = S.node; if (n) S.x = n->v + {k};"),
    (2, "struct node *n = S.node; S.node = 0; kfree(n);"),
    (2, "kfree(xchg(&S.node, 0));"),
    (4, "int mine = {k}; WRITE_ONCE(S.own, &mine); mine += READ_ONCE(S.x);"),
    (3, "int *p = READ_ONCE(S.own); if (p) WRITE_ONCE(*p, {k});"),
    (2, '__asm__ volatile("addl $1, %0" : "+m"(S.y));'),
    (3, "memset(&S.pair, {k}, sizeof S.pair);"),
    (2, "if (mutex_trylock(&lock)) {{ S.y = {k}; mutex_unlock(&lock); }}"),
)
"""Each with about how many steps it takes."""
GROUP = 15
"""Programs that are compiled together."""
LEVELS = ("-O0", "-O1", "-O2")


def program(number: int) -> tuple[str, int]:
    """The C of a program, and its number of threads."""
    draw = random.Random(number)
    threads = draw.choice((2, 2, 2, 3))
    text = f"struct state of{number} = {{ .x = {draw.randrange(3)}, .other = {{ 3, 4 }} }};\n"
    for thread in range(threads):
        left, body = (6 if threads == 2 else 3), ""
        while left > 0:
            cost, statement = draw.choice(STATEMENTS)
            if cost > left:
                left -= 1
                continue
            left -= cost
            body += f"  {{ {statement.format(k=draw.randrange(1, 4))} }}\n"
        text += f"void f{number}_{thread}(void) {{\n{body}}}\n".replace("S.", f"of{number}.")
    return text, threads


class Together(Bounded):
    """All schedules; of each point it keeps which accesses that may race could be made there."""

    def __init__(self) -> None:
        super().__init__(nothing)
        self.races = set[Key]()

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Look at what is to come."""
        steps = [self._execution.pending[option] for option in options]
        given = [step.access for step in steps if step is not None and step.access is not None]
        for one, other in combinations(given, 2):
            if may_race(one, other, "strict"):
                first, second = sorted((one.said, other.said))
                self.races.add((first, second))
        return super().choose(options, outcome)


def seen(
    subject: Scenario, strategy: Strategy, loaded: Callable[[], Code], name: str
) -> tuple[set[int], set[str], set[Key], int]:
    """The final states of runs that found nothing, the kinds of findings, data races, and how many runs there were."""
    states, kinds = set[int](), set[str]()

    def watch(execution: Execution) -> None:
        if execution.finding is None:
            states.add(loaded().value(name))
        else:
            kinds.add(execution.finding.oracle)

    session = Session(races="strict")
    report = search(lambda: subject.world(session, {}), strategy, watch=watch)
    assert report.complete
    return states, kinds, set(report.races), report.schedules


def compared(code: CModule, number: int, threads: int) -> tuple[int, int]:
    """How many runs each way took; they saw the same."""
    codes = list[Code]()

    @scenario(name="random")
    def subject(world: World) -> None:
        """A random program."""
        codes[:] = [code.load(world)]
        for thread in range(threads):
            world.add_actor(f"t{thread}", codes[0].thread(f"f{number}_{thread}"))

    name = f"of{number}"
    *proof, few = seen(subject, Dpor(), lambda: codes[0], name)
    together = Together()
    *brute, many = seen(subject, together, lambda: codes[0], name)
    assert proof[2] == together.races, f"program {number}:\n{program(number)[0]}"
    assert proof == brute, f"program {number}:\n{program(number)[0]}"
    assert few <= many
    return few, many


def batch(folder: Path, group: int) -> tuple[int, int]:
    """Compare a group of programs."""
    numbers = range(group * GROUP, (group + 1) * GROUP)
    made = [program(number) for number in numbers]
    code = module(folder, _HEAD + "".join(text for text, _ in made), flags=[LEVELS[group % len(LEVELS)]])
    runs = [compared(code, number, threads) for number, (_, threads) in zip(numbers, made, strict=True)]
    return sum(few for few, _ in runs), sum(many for _, many in runs)


@needs_c
@pytest.mark.parametrize("group", [*range(3), *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 20))])
def test_a_proof_sees_what_every_schedule_shows(tmp_path: Path, group: int) -> None:
    few, many = batch(tmp_path, group)
    assert few < many
