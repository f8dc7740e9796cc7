"""Strategies: what they find on the two small models, in exact numbers, as all are deterministic for a seed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import RandomWalk, Scheduler
from tests.models import pri_window
from tools.bench.models import KnownWord
from tools.explore.search import Budget, Strategy
from tools.explore.strategies.bounded import Bounded, Costs, delays, preemptions
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.greybox import Greybox
from tools.explore.strategies.pct import Pct
from tools.explore.strategies.portfolio import Portfolio, default
from tools.explore.strategies.pos import Pos
from tools.explore.strategies.surw import Surw

from .searching import search, worlds
from .test_dpor import dice


@pytest.mark.parametrize(
    ("scheduler", "kind", "failing"),
    [
        (RandomWalk(1), "base", 973),
        (Pct(1, (2,)), "base", 811),
        (Pct(1, (2,)), "hard", 21),
        (Pos(1), "base", 886),
        (Surw(1), "base", 275),
        (Surw(1), "hard", 117),
    ],
)
def test_how_many_of_2000_schedules_meet_a_bug(scheduler: Scheduler, kind: str, failing: int) -> None:
    report = search(worlds(pri_window, kind=kind), Endless(scheduler), Budget(schedules=2_000))
    assert (report.schedules, report.failing, report.complete) == (2_000, failing, False)


def test_pct_with_every_depth_and_pos_find_the_hard_bug() -> None:
    make = worlds(pri_window, kind="hard")
    reports = [search(make, Endless(scheduler), stop_at_first=True) for scheduler in (Pct(1), Pos(1))]
    assert [(report.schedules, report.failing) for report in reports] == [(47, 1), (376, 1)]


@pytest.mark.parametrize(
    ("costs", "bound", "kind", "schedules"),
    [(delays, 1, "hard", 27), (delays, 2, "hard", 256), (preemptions, 0, "hard", 5), (preemptions, 1, "hard", 469)],
)
def test_bounded_search_is_finite_and_exact(costs: Costs, bound: int, kind: str, schedules: int) -> None:
    report = search(worlds(pri_window, kind=kind), Bounded(costs, bound))
    assert (report.schedules, report.exhausted, report.complete) == (schedules, True, False)
    assert bool(report.failing) == ((costs, bound) != (preemptions, 0))


def test_a_bound_that_cut_nothing_off_is_no_bound() -> None:
    assert search(worlds(dice), Bounded(delays, 20)).complete


def test_the_portfolio_finds_the_hard_bug_at_once_and_proves_the_rest() -> None:
    assert search(worlds(pri_window, kind="hard"), default(1), stop_at_first=True).schedules == 12
    report = search(worlds(pri_window, kind="hard"), default(1))
    assert (report.complete, report.schedules) == (True, 1 + 27 + 256 + 42)


def test_the_portfolio_goes_on_when_its_budget_for_proof_is_used_up() -> None:
    used: list[str] = []
    strategy = default(1, proving=10)
    make, budget = worlds(pri_window, kind="hard", k=3), Budget(schedules=1_000)
    search(make, strategy, budget, watch=lambda _: used.append(strategy.name))
    proved = used.index("endless")
    assert used[proved - 11 : proved] == ["bounded"] + 10 * ["dpor"]
    assert used[proved : proved + 100].count("dpor") == 18


@pytest.mark.parametrize("make", [RandomWalk, Pct, Pos, Surw, Greybox])
def test_a_seed_is_a_sequence_of_runs(make: Callable[[int], Scheduler]) -> None:
    def schedules(seed: int) -> list[tuple[int, ...]]:
        runs: list[tuple[int, ...]] = []

        def watch(execution: Execution) -> None:
            runs.append(execution.schedule)

        search(worlds(pri_window, kind="hard"), Endless(make(seed)), Budget(schedules=40), watch=watch)
        return runs

    assert schedules(5) == schedules(5)
    assert schedules(5) != schedules(6)


@pytest.mark.parametrize("make", [RandomWalk, Pct, Pos, Surw, Greybox])
def test_outcomes_are_drawn_too(make: Callable[[int], Scheduler]) -> None:
    seen: set[tuple[int, ...]] = set()  # each actor's outcomes; a store has outcome 0

    def watch(execution: Execution) -> None:
        sums = [0, 0]
        for actor, outcome in zip(execution.actors, execution.outcomes, strict=True):
            sums[actor] += outcome
        seen.add(tuple(sums))

    search(worlds(dice), Endless(make(1)), Budget(schedules=200), watch=watch)
    assert len(seen) == 9


def schedules_of(strategy: Strategy, most: int) -> list[tuple[int, ...]]:
    found: list[tuple[int, ...]] = []
    search(worlds(pri_window), strategy, Budget(most), watch=lambda execution: found.append(execution.schedule))
    return found


def test_a_portfolio_without_stages_takes_turns() -> None:
    walk, pos = schedules_of(Endless(RandomWalk(1)), 5), schedules_of(Endless(Pos(1)), 5)
    together = schedules_of(Portfolio([], [Endless(RandomWalk(1)), Endless(Pos(1))]), 10)
    assert (together[::2], together[1::2]) == (walk, pos)
    assert walk != pos


def test_hard_is_found_soon_by_the_portfolio_and_by_surw_that_knows_the_word() -> None:
    """What `make bench` measures over 1,000 seeds, over 40: at most 100 and at most 25 schedules in the mean."""
    make = worlds(pri_window, kind="hard")
    bit = make().mask(("word", 4096))

    def total(strategy: Callable[[int], Strategy]) -> int:
        return sum(search(make, strategy(seed), stop_at_first=True).schedules for seed in range(40))

    assert total(default) == 40 * 12
    assert total(lambda seed: Endless(KnownWord(seed, bit))) == 735
