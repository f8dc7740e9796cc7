"""A scenario that kills the worker process that builds it; in the coordinator it only waits to be asked."""

from __future__ import annotations

import multiprocessing
import os
import signal

from actors.runtime.world import Cpu
from stopmarker import World, number, one_of, scenario


@scenario(
    kills=one_of("never", "always", "hangs", default="always", meaning="whether the worker survives"),
    n=number(2, 6, default=3, meaning="how many actors"),
)
def mortal(world: World, kills: str, n: int) -> None:
    """Some actors write one word, if their worker lives to see it."""
    if multiprocessing.parent_process() is not None:
        if kills == "always":
            os.kill(os.getpid(), signal.SIGKILL)
        while kills == "hangs":
            pass
    word = world.word("word")

    def member(position: int) -> None:
        async def act(cpu: Cpu) -> None:
            await cpu.store(word, position)

        world.add_actor(f"writer_{position}", act)

    for position in range(n):
        member(position)
