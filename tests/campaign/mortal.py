"""A scenario that ends the process that builds it: only workers may ever do that."""

from __future__ import annotations

import os
import posix  # what C code does: no guard of `os` sees it
import signal
import sys

from actors.runtime.world import Cpu
from stopmarker import World, number, one_of, scenario


@scenario(
    kills=one_of("never", "always", "hangs", "quits", default="always", meaning="whether the worker survives"),
    n=number(2, 6, default=3, meaning="how many actors"),
)
def mortal(world: World, kills: str, n: int) -> None:
    """Some actors write one word, if their worker lives to see it."""
    match kills:
        case "always":
            posix.kill(os.getpid(), signal.SIGKILL)
        case "quits":
            posix._exit(7)
        case "hangs":
            print("here it hangs", file=sys.stderr, flush=True)
            while True:
                pass
    word = world.word("word")

    def member(position: int) -> None:
        async def act(cpu: Cpu) -> None:
            await cpu.store(word, position)

        world.add_actor(f"writer_{position}", act)

    for position in range(n):
        member(position)
