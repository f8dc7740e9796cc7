"""Running searches in tests: one call, one Trio program."""

from __future__ import annotations

from collections.abc import Callable

import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import ParamValue
from actors.runtime.world import Session, World
from scenarios.scenario import Scenario
from tools.explore.search import Budget, Report, Strategy, explore


def worlds(scenario: Scenario, **params: ParamValue) -> Callable[[], World]:
    """A factory of worlds that share a session."""
    session = Session()
    complete = scenario.complete(params)
    return lambda: scenario.world(session, complete)


def search(
    make_world: Callable[[], World],
    strategy: Strategy,
    budget: Budget | None = None,
    *,
    stop_at_first: bool = False,
    watch: Callable[[Execution], object] | None = None,
) -> Report:
    """`explore` in a Trio program of its own."""

    async def program() -> Report:
        async with controlled() as driver:
            return await explore(driver, make_world, strategy, budget, stop_at_first=stop_at_first, watch=watch)

    return trio.run(program)
