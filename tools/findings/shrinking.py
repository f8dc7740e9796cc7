"""Shrinking a finding of an experiment: first the schedule, then the parameters, each as far as the finding stays.

Ctrl-C ends it between two runs, and the shortest run so far is the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import trio

from actors.runtime.primitives.events import Outcome
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import ParamValue, Recipe
from actors.runtime.runs.scheduler import Replay, ScheduleMismatch
from actors.runtime.world import World
from scenarios.scenario import Scenario

from ..experiments.experiment import find_scenario
from ..experiments.terms import Terms
from ..explore.reasons.shrink import Shrinker, Shrunk, shrink_world
from ..explore.search import FoundSignature
from ..terminal.exits import Diverged, Refusal
from ..terminal.interrupt import Stopped, StopRequest
from ..traces.trace import Trace, record

MakeWorld = Callable[[], World]
Between = Callable[[MakeWorld], MakeWorld]
"""Makes a maker of worlds one that raises Stopped when it is time to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortest:
    """The trace of the shortest run with a finding, how many runs it took to get there, and whether it was stopped."""

    trace: Trace
    replays: int
    stopped: bool


def shortest(
    terms: Terms, found: FoundSignature, stop: StopRequest, *, until: float = math.inf, given: Container[str] = ()
) -> Shortest:
    """Shrink a finding until nothing shorter is found, Ctrl-C, or the time (`time.monotonic`) `until`.

    Parameters that are `given` keep their values: what somebody asked about is what is shown.
    """

    async def main() -> Shortest:
        async with controlled() as driver:
            return await _shortest(driver, terms, found, partial(stop.between, until=until), given)

    return trio.run(main)


def as_found(terms: Terms, found: FoundSignature) -> Trace:
    """The trace of a finding as the search met it."""

    async def main() -> Trace:
        async with controlled() as driver:
            return _trace(terms, _again(driver, terms.make_world(), found))

    return trio.run(main)


def shrink_schedule(
    driver: Controlled, make_world: MakeWorld, found: FoundSignature, between: Between
) -> tuple[Shrunk, bool]:
    """The shortest schedule with a finding, and whether the search for it was ended (`between` raises Stopped)."""
    _again(driver, make_world, found)
    shrinker = Shrinker(driver, between(make_world), found.finding.signature)
    stopped = False
    try:
        shrinker.run(Replay(found.schedule))
        shrinker.shrink()
    except Stopped:
        stopped = True
    return Shrunk(shrinker.best or _again(driver, make_world, found), shrinker.replays), stopped


def _again(driver: Controlled, make_world: MakeWorld, found: FoundSignature) -> Execution:
    """The run of a finding once more; Diverged if it does not fail in the same way."""
    mismatch = ""
    try:
        execution = driver.run(make_world(), Replay(found.schedule))
        if execution.finding is not None and execution.finding.signature == found.finding.signature:
            return execution
    except ScheduleMismatch as problem:
        mismatch = f" ({problem})"
    raise Diverged(
        f"replay of {found.finding.oracle}: it fails no more{mismatch}. Likely cause: the scenario is not "
        "deterministic (a clock, a random number, id(), hash() or the order of a set reaches it)"
    )


async def _shortest(
    driver: Controlled, terms: Terms, found: FoundSignature, between: Between, given: Container[str]
) -> Shortest:
    scenario = find_scenario(terms.scenario)[1]
    best, stopped = shrink_schedule(driver, terms.make_world(scenario), found, between)
    replays = best.replays
    while not stopped and found.finding.outcome is not Outcome.BOUND:
        try:
            smaller = await _smaller(driver, terms, scenario, best, between, given)
        except Stopped:
            stopped = True
            break
        if smaller is None:
            break
        terms, best = smaller
        replays += best.replays
    return Shortest(trace=_trace(terms, best.execution), replays=replays, stopped=stopped)


async def _smaller(
    driver: Controlled, terms: Terms, scenario: Scenario, best: Shrunk, between: Between, given: Container[str]
) -> tuple[Terms, Shrunk] | None:
    """The same finding with one numeric parameter nearer to its least value, in a run that is shorter."""
    candidates, makers = [], []
    for candidate in _lowered(terms, scenario, given):
        make = candidate.make_world(scenario)
        with suppress(Refusal):  # values that do not go together
            make()
            candidates.append(candidate)
            makers.append(between(make))
    found = await shrink_world(driver, best, makers)
    if found is None or found[0].execution.index >= best.execution.index:
        return None
    return candidates[found[1]], found[0]


def _lowered(terms: Terms, scenario: Scenario, given: Container[str]) -> Iterator[Terms]:
    for name, value in terms.params:
        if isinstance(value, int) and name not in given:
            for lower in scenario.params[name].below(value):
                yield replace(terms, params=_with(terms.params, name, lower))


def _with(
    params: tuple[tuple[str, ParamValue], ...], changed: str, to: ParamValue
) -> tuple[tuple[str, ParamValue], ...]:
    return tuple((name, to if name == changed else value) for name, value in params)


def _trace(terms: Terms, execution: Execution) -> Trace:
    return record(Recipe(scenario=terms.scenario, params=terms.params, schedule=execution.schedule), execution)
