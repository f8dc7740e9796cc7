"""Runs one world, or many, for tests that are not about drivers: the controlled driver in a Trio run of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Fifo, Scheduler
from actors.runtime.world import Session, World
from scenarios.scenario import Scenario


def run(build: Callable[[World], None], scheduler: Scheduler | None = None, *, audit: bool = False) -> Execution:
    """One run of the world that `build` fills."""
    return runs(build, 1, scheduler, audit=audit)[0]


def runs(
    build: Callable[[World], None], count: int, scheduler: Scheduler | None = None, *, audit: bool = False
) -> list[Execution]:
    """Several runs under one scheduler."""
    session = Session(audit=audit)

    def make() -> World:
        world = World(session)
        build(world)
        if audit:
            world.again = make
        return world

    async def main() -> list[Execution]:
        async with controlled() as driver:
            return [driver.run(make(), scheduler or Fifo()) for _ in range(count)]

    return trio.run(main)


def of(scenario: Scenario, given: Mapping[str, int | str]) -> Callable[[World], None]:
    """The function that fills a world of `scenario`."""
    params = scenario.complete(given)

    def build(world: World) -> None:
        scenario.fill(world, params)

    return build


def transcript(execution: Execution) -> list[tuple[str, str, tuple[int, ...], int]]:
    """What happened, as plain values: who, what, who could have, which outcome."""
    names = [actor.name for actor in execution.world.actors]
    return [
        (names[actor], step.what, tuple(offered), outcome)
        for actor, step, offered, outcome in zip(
            execution.actors, execution.steps, execution.offers, execution.outcomes, strict=True
        )
    ]
