"""Random small programs over some operations: two or three actors, a few operations each, each a step or some."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Sequence

from actors.runtime.primitives.processor import Processor
from actors.runtime.world import Cpu, World

from .comparing import Build, State

Operation = Callable[[Cpu], Awaitable[object]]
Kit = Callable[[World], tuple[Sequence[Operation], Callable[[], State], *tuple[Processor | None, ...]]]
"""Fills a world with what the operations use; the operations, what can be told of it at the end, and the processors
that the actors get in turn, if they share some."""


def programs(kit: Kit, seed: int, actors: int, length: int) -> Build:
    """The program of a seed, in which each actor keeps what its operations return, and how it ends."""
    draw = random.Random(seed)
    plans = [[draw.random() for _ in range(draw.randint(1, length))] for _ in range(actors)]

    def build(world: World) -> Callable[[], State]:
        operations, state, *on = kit(world)
        seen: dict[str, list[object]] = {}

        def main(plan: Sequence[float]) -> Callable[[Cpu], Awaitable[None]]:
            async def run(cpu: Cpu) -> None:
                seen[cpu.name] = []
                for number in plan:
                    seen[cpu.name].append(await operations[int(number * len(operations))](cpu))

            return run

        for number, plan in enumerate(plans):
            world.add_actor(f"actor {number}", main(plan), on=on[number % len(on)] if on else None)  # type: ignore[arg-type]
        return lambda: (tuple(sorted((name, tuple(map(str, values))) for name, values in seen.items())), state())

    return build
