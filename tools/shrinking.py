"""Shrinking a finding of an experiment: first the schedule, then the parameters, each as far as the finding stays.

Ctrl-C ends it between two runs, and the shortest run so far is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.execution import Execution
from actors.runtime.schedule import ParamValue, Recipe, Replay, ScheduleMismatch
from actors.runtime.world import World

from .exits import Diverged
from .experiment import open_experiment
from .explore.search import Found
from .explore.shrink import Shrinker, Shrunk, shrink_world
from .interrupt import Stopped, StopRequest
from .terms import Terms
from .trace import Trace, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortest:
    """The trace of the shortest run with a finding, how many runs it took to get there, and whether it was stopped."""

    trace: Trace
    replays: int
    stopped: bool


def shortest(terms: Terms, found: Found, stop: StopRequest) -> Shortest:
    """Shrink a finding until nothing shorter is found, or Ctrl-C."""

    async def main() -> Shortest:
        async with controlled() as driver:
            return await _shortest(driver, terms, found, stop)

    return trio.run(main)


def as_found(terms: Terms, found: Found) -> Trace:
    """The trace of a finding as the search met it."""

    async def main() -> Trace:
        async with controlled() as driver:
            return _trace(terms, _again(driver, terms.make_world(), found))

    return trio.run(main)


def shrink_schedule(
    driver: Controlled, make_world: Callable[[], World], found: Found, stop: StopRequest
) -> tuple[Shrunk, bool]:
    """The shortest schedule with a finding, and whether Ctrl-C ended the search for it."""
    _again(driver, make_world, found)
    shrinker = Shrinker(driver, stop.between(make_world), found.finding.signature)
    stopped = False
    try:
        shrinker.run(Replay(found.schedule))
        shrinker.shrink()
    except Stopped:
        stopped = True
    return Shrunk(shrinker.best or _again(driver, make_world, found), shrinker.replays), stopped


def _again(driver: Controlled, make_world: Callable[[], World], found: Found) -> Execution:
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


async def _shortest(driver: Controlled, terms: Terms, found: Found, stop: StopRequest) -> Shortest:
    best, stopped = shrink_schedule(driver, terms.make_world(), found, stop)
    replays = best.replays
    while not stopped:
        try:
            smaller = await _smaller(driver, terms, best, stop)
        except Stopped:
            stopped = True
            break
        if smaller is None:
            break
        terms, best = smaller
        replays += best.replays
    return Shortest(trace=_trace(terms, best.execution), replays=replays, stopped=stopped)


async def _smaller(driver: Controlled, terms: Terms, best: Shrunk, stop: StopRequest) -> tuple[Terms, Shrunk] | None:
    """The same finding with one numeric parameter nearer to its least value, in a run that is shorter."""
    candidates = list(_lowered(terms))
    makers = [stop.between(candidate.make_world()) for candidate in candidates]
    found = await shrink_world(driver, best, makers)
    if found is None or found[0].execution.index >= best.execution.index:
        return None
    return candidates[found[1]], found[0]


def _lowered(terms: Terms) -> Iterator[Terms]:
    declared = open_experiment(terms.scenario, dict(terms.params)).scenario.params
    for name, value in terms.params:
        for lower in declared[name].allowed:
            if isinstance(value, int) and isinstance(lower, int) and lower < value:
                yield replace(terms, params=_with(terms.params, name, lower))


def _with(
    params: tuple[tuple[str, ParamValue], ...], changed: str, to: ParamValue
) -> tuple[tuple[str, ParamValue], ...]:
    return tuple((name, to if name == changed else value) for name, value in params)


def _trace(terms: Terms, execution: Execution) -> Trace:
    return record(Recipe(scenario=terms.scenario, params=terms.params, schedule=execution.schedule), execution)
