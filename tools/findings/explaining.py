"""Explaining a recorded failure: shrink it, find the orderings it needs, and tie them to the steps of the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import trio

from actors.runtime.primitives.events import Finding
from actors.runtime.primitives.step import Step
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Replay

from ..experiments.experiment import Experiment
from ..explore.reasons.explain import Explanation, Reason, explain
from ..explore.reasons.orderings import Ordering
from ..explore.reasons.plan import Follow, plan_of
from ..explore.search import Budget, FoundSignature, Report
from ..explore.strategies.points import Point, points
from ..terminal.interrupt import StopRequest
from ..traces.naming import resource_name, word_names
from ..traces.trace import Trace, record
from .shrinking import shrink_schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A step of an ordering, and where it is in the failing run: `number` is None if it comes after the failure."""

    point: Point
    number: int | None
    labels: tuple[str, ...]
    """What happened in it, as its events say."""
    never: bool
    """It was still waited for when the run was over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """Two racing steps in the order that the failure needs."""

    first: Place
    second: Place
    races: tuple[str, ...]
    """What they race for, and who writes it."""
    reason: Reason | None = None
    """For a constraint that the failure needs: a schedule that passes because it breaks this one only, and how."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A shrunk failure and why it fails."""

    trace: Trace
    finding: Finding
    replays: int
    """Runs that shrinking took."""
    explanation: Explanation
    constraints: tuple[Constraint, ...]
    along: tuple[Constraint, ...]
    """Orderings that share a step with a constraint, and that all other failing runs have too."""
    passing: Trace | None
    last: int
    """The last step of the passing run that a constraint speaks of."""
    seconds: float


def explained(
    experiment: Experiment,
    found: FoundSignature,
    seconds: float,
    on_progress: Callable[[Report], None],
    stop: StopRequest,
) -> Explained:
    """Why a finding of an experiment comes about, as far as can be found out in `seconds`; Stopped by Ctrl-C."""

    async def main() -> Explained:
        async with controlled() as driver:
            return await _explained(driver, experiment, found, seconds, on_progress, stop)

    return trio.run(main)


async def _explained(
    driver: Controlled,
    experiment: Experiment,
    found: FoundSignature,
    seconds: float,
    on_progress: Callable[[Report], None],
    stop: StopRequest,
) -> Explained:
    begun = trio.current_time()
    make_world = stop.between(experiment.world)
    half = partial(stop.between, until=time.monotonic() + seconds / 2)
    shrunk, _ = shrink_schedule(driver, make_world, found, half)
    left = Budget(seconds=seconds - (trio.current_time() - begun))
    result = await explain(driver, make_world, shrunk.schedule, left, on_progress)
    failing = driver.run(make_world(), Follow(plan_of(shrunk.execution)), to_the_end=True)
    trace = record(experiment.recipe(shrunk.schedule), shrunk.execution)
    tied = partial(_constraint, failing, record(experiment.recipe(failing.schedule), failing), len(trace.steps))
    constraints = tuple(tied(reason.ordering, reason) for reason in result.reasons)
    named = {point for one in result.reasons for point in (one.ordering.first, one.ordering.second)}
    known = {one.ordering for one in result.reasons}
    along = [one for one in result.shared if one not in known and {one.first, one.second} & named]
    passing = None if result.passing is None else driver.run(make_world(), Replay(result.passing))
    assert trace.finding is not None
    return Explained(
        trace=trace,
        finding=trace.finding,
        replays=shrunk.replays,
        explanation=result,
        constraints=constraints,
        along=tuple(tied(one, None) for one in along),
        passing=None if passing is None else record(experiment.recipe(passing.schedule), passing),
        last=0 if passing is None else _last(passing, named),
        seconds=trio.current_time() - begun,
    )


def _constraint(failing: Execution, whole: Trace, shown: int, ordering: Ordering, reason: Reason | None) -> Constraint:
    """An ordering with the numbers and labels of its steps; `shown` steps are in the run that people see."""
    index = {point: number for number, point in enumerate(points(failing))}
    places = []
    for point in (ordering.first, ordering.second):
        number = index[_unlined(point)]
        labels = tuple(event.label for event in whole.events if event.step == number)
        never = number >= len(failing.steps)
        places.append(Place(point=point, number=number if number < shown else None, labels=labels, never=never))
    first, second = (_step(failing, index[_unlined(place.point)]) for place in places)
    words, table = word_names(failing), failing.world.session.resources
    races = []
    for resource in ordering.objects:
        bit = table.mask(resource)
        writers = [place.point.actor for place, step in zip(places, (first, second), strict=True) if step.writes & bit]
        does = "both write it" if len(writers) == 2 else f"{writers[0]} writes it" if writers else "written by others"
        races.append(f"{resource_name(resource, words)} ({does})")
    return Constraint(first=places[0], second=places[1], races=tuple(races), reason=reason)


def _step(execution: Execution, number: int) -> Step:
    """The step of a point: taken, or still pending at the end."""
    if number < len(execution.steps):
        return execution.steps[number]
    pending = [step for step in execution.pending if step is not None]
    return pending[number - len(execution.steps)]


def _unlined(point: Point) -> Point:
    return Point(point.actor, point.what, point.occurrence)


def _last(passing: Execution, named: set[Point]) -> int:
    """The number of the last of those steps in a run."""
    plain = {_unlined(point) for point in named}
    return max((number for number, point in enumerate(points(passing)) if point in plain), default=0)
