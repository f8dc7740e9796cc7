"""Makes a failing schedule short: few switches, few steps, and the same one for all schedules that show the same bug.

Most of it needs no run at all: only what the failure depends on is kept, in the equivalent order that is plainest.
What remains is tried: leave out actors and blocks, cut blocks short, bring blocks of one actor together. A candidate
counts if its run fails with the same signature (oracle and objects) and costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from actors.runtime.primitives.events import ENDLESS, Outcome
from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import FAIR, Schedule
from actors.runtime.runs.scheduler import Replay, ScheduleMismatch, Scheduler
from actors.runtime.world import World

from ..dpor.dpor import Dpor
from ..search import Budget, Strategy, explore
from ..strategies.bounded import Bounded, delays
from ..strategies.fair import Fair
from .plan import Follow, Plan, blocks, cost, join, plainest, plan_of, switches

MOST_REPLAYS = 2_000
MOST_CHOICES = 200
"""Choices that may lead into a livelock: if it takes more, the schedule is left as it was found."""
FAIR_RUNS = 20
"""Runs in which a livelock is looked for in a smaller world."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """The shortest failing run that was found."""

    execution: Execution
    replays: int

    @property
    def schedule(self) -> Schedule:
        """The recorded schedule."""
        return self.execution.schedule

    @property
    def switches(self) -> int:
        """How often the actor changes in it."""
        return switches(plan_of(self.execution))


class Shrinker:
    """Shrinks one finding; `consider` is the only door for a candidate."""

    def __init__(self, driver: Controlled, make_world: Callable[[], World], signature: tuple[str, ...]) -> None:
        self.replays = 0
        self.best: Execution | None = None
        self._driver = driver
        self._make_world = make_world
        self._signature = signature
        self._tried: set[Plan] = set()
        self._plan: Plan = ()

    def run(self, scheduler: Scheduler) -> bool:
        """Make a run; take it, and what it can be reduced to without a search, if it fails as wanted and costs less."""
        execution = self._driver.run(self._make_world(), scheduler)
        self.replays += 1
        if execution.finding is None or execution.finding.signature != self._signature:
            return False
        plan = plan_of(execution)
        better = self.best is None or cost(plan) < cost(self._plan)
        if better:
            self.best, self._plan = execution, plan
            self._tried.add(plan)
        if execution.outcome not in ENDLESS:
            past = causality_of(execution).past
            cone = plainest(plan, past, execution.finding.step) if execution.finding.step < len(plan) else ()
            better = (bool(cone) and self.consider(cone)) or self.consider(plainest(plan, past)) or better
        return better

    def consider(self, candidate: Plan) -> bool:
        """Whether `candidate` became the best."""
        if candidate in self._tried or self.replays >= MOST_REPLAYS:
            return False
        self._tried.add(candidate)
        return self.run(Follow(candidate))

    def shrink(self) -> None:
        """Try all ways to make the best shorter until none does; of a run at its step bound nothing is known to try."""
        if self.best is not None and self.best.outcome is Outcome.BOUND:
            return
        if self.best is not None and self.best.outcome is Outcome.LIVELOCK:
            self._enter_sooner(self.best.schedule)
            return
        while any(self._first_better(ways(self._plan)) for ways in (_outlines, _cuts, _merges, _order)):
            pass

    def _enter_sooner(self, schedule: Schedule) -> None:
        """A livelock: the fewest of its choices after which it is entered if everybody goes in turn."""
        for length in range(min(len(schedule), MOST_CHOICES)):
            self.best = None
            with suppress(ScheduleMismatch):  # hardware has a choice there: it is not the place to give up choosing
                if self.run(Replay((*schedule[:length], FAIR))):
                    return
        self.run(Replay(schedule))

    def _first_better(self, candidates: Iterable[Plan]) -> bool:
        return any(self.consider(candidate) for candidate in candidates)


def _outlines(plan: Plan) -> Iterator[Plan]:
    """Without an actor; without half, a quarter … of the blocks."""
    for actor in sorted({actor for actor, _ in plan}):
        yield tuple(entry for entry in plan if entry[0] != actor)
    parts = blocks(plan)
    size = len(parts) // 2
    while size:
        for first in range(0, len(parts), size):
            yield join(parts[:first] + parts[first + size :])
        size //= 2


def _cuts(plan: Plan) -> Iterator[Plan]:
    """With a block cut short (which entry of a block goes makes no difference); with a plainer outcome."""
    parts = blocks(plan)
    for index, part in enumerate(parts):
        for length in range(1, len(part)):
            yield join([*parts[:index], part[:length], *parts[index + 1 :]])
    for index, (actor, outcome) in enumerate(plan):
        for plainer in range(outcome):
            yield (*plan[:index], (actor, plainer), *plan[index + 1 :])


def _merges(plan: Plan) -> Iterator[Plan]:
    """With a block brought up to the previous one of its actor, or that one down to it."""
    parts = blocks(plan)
    for index, part in enumerate(parts):
        earlier = [before for before in range(index) if parts[before][0][0] == part[0][0]]
        if earlier:
            before = earlier[-1]
            between = parts[before + 1 : index]
            yield join([*parts[: before + 1], part, *between, *parts[index + 1 :]])
            yield join([*parts[:before], *between, parts[before], *parts[index:]])


def _order(plan: Plan) -> Iterator[Plan]:
    """With two neighbours in the order of their actors."""
    parts = blocks(plan)
    for index in range(len(parts) - 1):
        one, two = parts[index], parts[index + 1]
        if two[0][0] < one[0][0]:
            yield join([*parts[:index], two, one, *parts[index + 2 :]])


def shrink(
    driver: Controlled, make_world: Callable[[], World], schedule: Scheduler, signature: tuple[str, ...]
) -> Shrunk:
    """The shortest run that fails with `signature`, from the one that `schedule` makes; ValueError if it does not."""
    shrinker = Shrinker(driver, make_world, signature)
    shrinker.run(schedule)
    if shrinker.best is None:
        raise ValueError(f"shrink: the run to begin with does not fail with {' '.join(signature)}")
    shrinker.shrink()
    return Shrunk(shrinker.best, shrinker.replays)


async def shrink_world(
    driver: Controlled, shrunk: Shrunk, smaller: Iterable[Callable[[], World]], proving: int = 500
) -> tuple[Shrunk, int] | None:
    """The finding in the first of some `smaller` worlds that has it too, and which one that is.

    The plan is tried first, then a short search.
    """
    finding = shrunk.execution.finding
    assert finding is not None
    plan = plan_of(shrunk.execution)
    is_livelock = finding.outcome is Outcome.LIVELOCK
    for number, make_world in enumerate(smaller):
        shrinker = Shrinker(driver, make_world, finding.signature)
        shrinker.run(Follow(plan))
        strategies: list[Strategy] = [Fair(0)] if is_livelock else [Bounded(delays, 1), Dpor()]
        while shrinker.best is None and strategies:
            most = Budget(schedules=FAIR_RUNS if is_livelock else proving)
            report = await explore(driver, make_world, strategies.pop(0), most)
            found = report.found.get(finding.signature)
            if found is not None:
                shrinker.run(Replay(found.schedule))
        if shrinker.best is not None:
            shrinker.shrink()
            return Shrunk(shrinker.best, shrinker.replays), number
    return None
