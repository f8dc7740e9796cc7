"""Why a run fails: the fewest orderings {a before b} that every such run has, and every passing run breaks.

Found by experiment: all classes of runs are made, and for each it is noted which racing steps came in another order
than in the failing run. Sets of orderings that no passing run keeps explain the failure; a smallest one is reported,
with a passing run for each ordering that breaks it and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.controlled import Controlled
from actors.runtime.execution import Execution
from actors.runtime.schedule import Replay, Schedule
from actors.runtime.step import Resource
from actors.runtime.world import World

from .causality import bits
from .dpor import Dpor
from .hitting import smallest_hitting_set
from .plan import Follow, aligned, causality_of, plan_of
from .points import Point, lined, points, waiting
from .search import Budget, Report, explore


@dataclass(frozen=True, slots=True)
class Ordering:
    """Two racing steps, and what they race for."""

    first: Point
    second: Point
    objects: tuple[Resource, ...]

    def __str__(self) -> str:
        return f"{self.first} — before — {self.second}"


@dataclass(frozen=True, slots=True)
class Reason:
    """One ordering that the failure needs, and a schedule that passes because it breaks only this one."""

    ordering: Ordering
    broken: Schedule | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found out about a failing run."""

    reasons: tuple[Reason, ...]
    decided: bool
    """All runs within the scenario's bounds were made, so the reasons are proved; else see `open`."""
    open: str
    """What is not known, if anything."""
    passing: Schedule | None
    """The passing schedule that differs in the fewest racing steps."""
    shared: tuple[Ordering, ...]
    """What all failing runs have in common and some passing run has the other way round: the reasons, what follows
    from them, and what could stand in place of one."""
    failing_runs: int
    passing_runs: int


class _Experiment:
    """Sorts runs by which orderings of the failing run they break."""

    def __init__(self, failing: Execution, shown: Sequence[Point]) -> None:
        self.orderings = _orderings(failing, shown)
        self.passing: dict[int, Schedule] = {}  # broken orderings (mask) -> a schedule
        self.passing_runs = self.failing_runs = 0
        self.broken_failing = 0  # orderings that some failing run lacks
        self.turned_passing = 0  # orderings that some passing run has the other way round
        plain = points(failing)
        index = {point: number for number, point in enumerate(shown)}
        taken, end = len(failing.steps), _end(failing)
        self._late = sum(1 << number for number, one in enumerate(self.orderings) if index[one.second] > end)
        self._pairs = [
            (plain[index[one.first]], plain[index[one.second]], index[one.second] >= taken) for one in self.orderings
        ]

    def watch(self, execution: Execution) -> None:
        """Note one run."""
        broken, turned = self._compare(execution)
        if execution.finding is not None:
            self.failing_runs += 1
            self.broken_failing |= broken
        else:
            self.passing_runs += 1
            self.turned_passing |= turned
            self.passing.setdefault(broken, execution.schedule)

    def shared(self) -> tuple[Ordering, ...]:
        """The orderings up to the failure that all failing runs keep and some passing run turns round."""
        kept = self.turned_passing & ~self.broken_failing & ~self._late
        return tuple(self.orderings[bit.bit_length() - 1] for bit in bits(kept))

    def _compare(self, execution: Execution) -> tuple[int, int]:
        """The orderings that a run lacks, and those of them that it has the other way round."""
        taken = len(execution.steps)
        at = {point: number for number, point in enumerate(points(execution)[:taken])}
        broken = turned = 0
        for number, (first, second, never) in enumerate(self._pairs):
            before, after = at.get(first), at.get(second)
            if before is None or after is None:
                if before is None or not never:  # what never came in the failing run may come late, or never
                    broken |= 1 << number
            elif before > after:
                broken |= 1 << number
                turned |= 1 << number
        return broken, turned

    def nearest(self, chosen: int = 0, only: int = 0) -> Schedule | None:
        """The passing schedule that breaks the fewest orderings, and of `chosen` just `only`."""
        near = [broken for broken in self.passing if broken & chosen == only] if chosen else list(self.passing)
        return self.passing[min(near, key=lambda broken: (broken.bit_count(), broken))] if near else None


async def explain(
    driver: Controlled,
    make_world: Callable[[], World],
    schedule: Schedule,
    budget: Budget | None = None,
    progress: Callable[[Report], None] | None = None,
) -> Explanation:
    """Explain the failing run that `schedule` records; it should be shrunk before."""
    plan = plan_of(driver.run(make_world(), Replay(schedule)))
    failing = driver.run(make_world(), Follow(plan), to_the_end=True)
    if failing.finding is None:
        raise ValueError("explain: the schedule does not fail")
    experiment = _Experiment(failing, lined(make_world(), Follow(plan)))
    strategy = Dpor()
    report = await explore(driver, make_world, strategy, budget, progress=progress, watch=experiment.watch)
    missing = []
    if not report.complete:
        total = strategy.estimate().traces
        missing.append(
            f"{report.schedules} of about {total:.0f} runs were made: others may pass in spite of the reasons"
        )
    masks = [broken for broken in experiment.passing if broken]
    if len(masks) < len(experiment.passing):
        missing.append("a run passes in which all racing steps come in the order of the failing run")
    chosen = smallest_hitting_set(masks, len(experiment.orderings))
    union = sum(1 << number for number in chosen)
    reasons = []
    for number in chosen:
        broken = experiment.nearest(union, 1 << number)
        near = None if broken is None else _side_by_side(driver, make_world, failing, broken)
        reasons.append(Reason(experiment.orderings[number], near))
    nearest = experiment.nearest()
    return Explanation(
        reasons=tuple(reasons),
        decided=not missing,
        open="; ".join(missing),
        passing=None if nearest is None else _side_by_side(driver, make_world, failing, nearest),
        shared=experiment.shared(),
        failing_runs=experiment.failing_runs,
        passing_runs=experiment.passing_runs,
    )


def _orderings(failing: Execution, shown: Sequence[Point]) -> list[Ordering]:
    """All racing steps of different actors that the failure can be due to, the likelier first.

    The earlier step came before the failure; the later one may come after it, or wait for ever.
    """
    causality = causality_of(failing)
    for actor, step in waiting(failing):
        causality.append(actor, step, causality.closure(causality.before(actor), causality.conflicts(step)))
    events = [*zip(failing.actors, failing.steps, strict=True), *waiting(failing)]
    end = _end(failing)
    names = failing.world.session.resources.names
    found: list[tuple[bool, bool, int, int, int]] = []
    for second, (actor, step) in enumerate(events):
        for first, (other_actor, other) in enumerate(events[: min(second, end + 1)]):
            mask = (other.writes & (step.reads | step.writes)) | (other.reads & step.writes)
            if mask and actor != other_actor:
                within = causality.past[second] & (1 << second) - (2 << first)
                between = any(causality.past[bit.bit_length() - 1] >> first & 1 for bit in bits(within))
                found.append((between, second > end, first, second, mask))
    found.sort()
    return [Ordering(shown[first], shown[second], tuple(names(mask))) for _, _, first, second, mask in found]


def _end(failing: Execution) -> int:
    """The number of the step with which the run failed."""
    return min(failing.finding.step, len(failing.steps) - 1) if failing.finding else 0


def _side_by_side(
    driver: Controlled, make_world: Callable[[], World], failing: Execution, passing: Schedule
) -> Schedule:
    """An equivalent passing schedule whose steps come, as far as they can, in the order of the failing run."""
    execution = driver.run(make_world(), Replay(passing))
    place = {point: number for number, point in enumerate(points(failing))}
    rank = [place.get(point, len(place)) for point in points(execution)]
    order = aligned(plan_of(execution), causality_of(execution).past, rank)
    again = driver.run(make_world(), Follow(order))
    return again.schedule if again.finding is None else passing
