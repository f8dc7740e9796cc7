"""Shrinking a finding of an experiment: first the schedule, then the parameters, each as far as the finding stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.schedule import ParamValue, Recipe, Replay
from actors.runtime.world import World

from .experiment import open_experiment
from .explore.search import Found
from .explore.shrink import Shrunk, shrink, shrink_world
from .proof import Terms
from .trace import Trace, record


def shortest(terms: Terms, found: Found) -> tuple[Trace, int]:
    """The trace of the shortest run with that finding, and how many runs it took to get there."""

    async def main() -> tuple[Trace, int]:
        async with controlled() as driver:
            return await _shortest(driver, terms, found)

    return trio.run(main)


def as_found(terms: Terms, found: Found) -> Trace:
    """The trace of a finding as the search met it."""

    async def main() -> Trace:
        async with controlled() as driver:
            execution = driver.run(terms.make_world()(), Replay(found.schedule))
        return record(Recipe(scenario=terms.scenario, params=terms.params, schedule=execution.schedule), execution)

    return trio.run(main)


async def _shortest(driver: Controlled, terms: Terms, found: Found) -> tuple[Trace, int]:
    best = shrink(driver, terms.make_world(), Replay(found.schedule), found.finding.signature)
    replays = best.replays
    while (smaller := await _smaller(driver, terms, best)) is not None:
        terms, best = smaller
        replays += best.replays
    recipe = Recipe(scenario=terms.scenario, params=terms.params, schedule=best.schedule)
    return record(recipe, best.execution), replays


async def _smaller(driver: Controlled, terms: Terms, best: Shrunk) -> tuple[Terms, Shrunk] | None:
    """The same finding with one numeric parameter nearer to its least value, in a run that is shorter."""
    candidates = list(_lowered(terms))
    makers: list[Callable[[], World]] = [candidate.make_world() for candidate in candidates]
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
