"""Whether a world is being built or run in this thread: what draws or looks at a clock asks here before it does.

The drivers set it around each run. Who installs guards (see `tools.guards`) reads it; without guards nobody does.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum


class UndeterminedCall(Exception):
    """Code of a world asked for what no schedule decides: chance, a clock, an address, a salted hash."""


class Phase(IntEnum):
    """What goes on in a thread."""

    OUTSIDE = 0
    LOADING = 1
    """A user's file is executed: its own lines may not draw, but a library that it imports may."""
    RUNNING = 2
    """A world is built or run."""


class Here(threading.local):
    """What goes on in this thread, and the first call that was refused in it: a model may swallow the exception."""

    phase = Phase.OUTSIDE
    refused: UndeterminedCall | None = None


here = Here()


@contextmanager
def entered(phase: Phase) -> Iterator[None]:
    """Be in a phase; a call that was refused meanwhile is raised at the end, even if somebody swallowed it."""
    before, earlier = here.phase, here.refused
    here.phase, here.refused = phase, None
    try:
        yield
    finally:
        refused = here.refused
        here.phase, here.refused = before, earlier or (refused if before else None)
    if refused is not None:
        raise refused


def begin() -> Phase:
    """A run begins; what `end` needs to know."""
    before, here.phase, here.refused = here.phase, Phase.RUNNING, None
    return before


def end(before: Phase) -> UndeterminedCall | None:
    """The run is over; the first call that was refused in it."""
    here.phase = before
    refused, here.refused = here.refused, None
    return refused
