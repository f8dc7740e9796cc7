"""One run of a world, in which the first who can goes on: what is found in it."""

from __future__ import annotations

import re
from collections.abc import Callable

from actors.runtime.world import World
from tests.running import run


def finding(build: Callable[[World], object]) -> str:
    """What is wrong with the run; empty if nothing is."""

    def fill(world: World) -> None:
        build(world)

    found = run(fill, audit=True).finding
    return "" if found is None else re.sub(r"^.* raised BrokenRule: | \(\w+\.py, line \d+\)$", "", found.message)


def messages(*builds: Callable[[World], object]) -> list[str]:
    """Of each world what is wrong with its run."""
    return [finding(build) for build in builds]
