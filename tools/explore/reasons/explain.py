"""Why a run fails: the fewest orderings {a before b} that every passing run breaks.

Found by experiment: all classes of runs are made, and each is sorted by which orderings of the failing run it keeps. A
smallest set that no passing run keeps is reported, with a passing run for each ordering that breaks it and no other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule
from actors.runtime.runs.scheduler import Replay
from actors.runtime.runs.unordered import learn
from actors.runtime.world import World

from ..dpor.dpor import Dpor
from ..search import Budget, Report, explore
from ..strategies.points import Point, lined, points
from .orderings import Chosen, Ordering, Sorting
from .plan import Follow, aligned, plan_of


@dataclass(frozen=True, slots=True)
class Reason:
    """One ordering that the failure needs, and a schedule that passes because it breaks only this one."""

    ordering: Ordering
    broken: Schedule | None
    absent: tuple[Point, ...] = ()
    """Which of its two steps never comes there; none if they come the other way round."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found out about a failing run."""

    reasons: tuple[Reason, ...]
    exact: bool
    """All runs that fail in this way have the orderings of the reasons; else some do so for another reason."""
    decided: bool
    """All runs within the scenario's bounds were made, so the reasons are proved; else see `open`."""
    open: str
    """What is not known, if anything."""
    passing: Schedule | None
    """The passing schedule that differs in the fewest racing steps."""
    shared: tuple[Ordering, ...]
    """What all runs that fail in this way have in common and some passing run has the other way round: the reasons,
    what follows from them, and what could stand in place of one."""
    failing_runs: int
    other_runs: int
    """Those of the failing ones that fail in another way."""
    passing_runs: int


async def explain(
    driver: Controlled,
    make_world: Callable[[], World],
    schedule: Schedule,
    budget: Budget | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Explanation:
    """Explain the failing run that `schedule` records; it should be shrunk before."""
    recorded = driver.run(make_world(), Replay(schedule))
    while recorded.world.sharing is not None and learn(recorded, recorded.world.sharing):
        recorded = driver.run(make_world(), Replay(schedule))
    plan = plan_of(recorded)
    failing = driver.run(make_world(), Follow(plan), to_the_end=True)
    if failing.finding is None:
        raise ValueError("explain: the schedule does not fail")
    sorting = Sorting.of(failing, lined(make_world(), Follow(plan)))
    strategy = Dpor()

    def watch(execution: Execution) -> None:
        if strategy.past:  # else this run has shown that steps share more than was known, and the search begins anew
            sorting.watch(execution, strategy.past)

    report = await explore(driver, make_world, strategy, budget, progress=progress, watch=watch)
    chosen = sorting.choose()
    missing = []
    if not report.complete:
        total = strategy.estimate().traces
        missing.append(
            f"{report.schedules:,} of about {total:,.0f} runs were made: others may pass in spite of the reasons"
        )
    if not chosen.complete:
        missing.append("a run passes in which all racing steps come in the order of the failing run")
    beside = partial(_side_by_side, driver, make_world, failing)
    nearest = sorting.nearest()
    return Explanation(
        reasons=tuple(_reason(sorting, chosen, number, beside) for number in chosen.numbers),
        exact=chosen.exact,
        decided=not missing,
        open="; ".join(missing),
        passing=None if nearest is None else beside(nearest).schedule,
        shared=sorting.shared(),
        failing_runs=sorting.failing_runs,
        other_runs=sorting.other_runs,
        passing_runs=sorting.passing_runs,
    )


def _reason(sorting: Sorting, chosen: Chosen, number: int, beside: Callable[[Schedule], Execution]) -> Reason:
    """One of the chosen orderings, with a schedule that was seen to pass although it keeps the others."""
    ordering = sorting.orderings[number]
    near = sorting.nearest(chosen, number)
    if near is None:
        return Reason(ordering, None)
    passing = beside(near)
    if sorting.breaks(passing, chosen) != 1 << number:
        return Reason(ordering, None)
    here = set(points(passing)[: len(passing.steps)])
    absent = tuple(point for point in ordering.points if replace(point, line="") not in here)
    return Reason(ordering, passing.schedule, absent)


def _side_by_side(
    driver: Controlled, make_world: Callable[[], World], failing: Execution, passing: Schedule
) -> Execution:
    """An equivalent passing run whose steps come, as far as they can, in the order of the failing run."""
    execution = driver.run(make_world(), Replay(passing))
    place = {point: number for number, point in enumerate(points(failing))}
    rank = [place.get(point, len(place)) for point in points(execution)]
    order = aligned(plan_of(execution), causality_of(execution).past, rank)
    again = driver.run(make_world(), Follow(order))
    return again if again.finding is None else execution
