"""A model that loops without a step, or sleeps in one, is found by looking where the process stands, second by second.

Nothing else is decided by a clock: whoever takes no step for so long is taken never to end.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import FrameType

from .exits import Exit
from .leaving import end_hard

LONGEST = 10
"""Looks that may find a run inside one step: there is one a second, and none while the process is stopped."""
_RUNTIME = frozenset(
    {"actors.runtime.runners.controlled", "actors.runtime.runners.live", "actors.runtime.runners.seat"}
)
_BUILDER = "scenarios.scenario"
_COMPILES = "actors.c.compiler"
"""It may take its time, and says itself when that is too long."""
_OURS = ("actors.runtime.", "tools.", _BUILDER)
_LIBRARY = str(Path(os.__file__).parent)
Place = tuple[FrameType, int]
"""A run, or the building of a world, and how many steps were taken."""


class NoStep(KeyboardInterrupt):
    """A run takes no step any more: not an Exception, since no actor may go on after it."""


class Standstill:
    """Looks whether a run goes on."""

    def __init__(self) -> None:
        self._seen: Place | None = None
        self._looks = 0

    def look(self, frame: FrameType | None) -> None:
        """Look at where the process stands; NoStep if it has stood there for too long, inside a model."""
        here = run_of(frame)
        if here is None or here != self._seen:
            self._seen, self._looks = here, 0
            return
        line = model_line(frame, here[0])
        if not line:
            return  # it is the search that takes its time
        self._looks += 1
        message = f"ERROR: {_whose(frame, here[0])} took no step for {LONGEST} s: {line}"
        if self._looks > LONGEST:
            end_hard(f"{message} (it goes on when it is interrupted)", Exit.ERROR)
        if self._looks == LONGEST:
            raise NoStep(message)


def run_of(frame: FrameType | None) -> Place | None:
    """What goes on in a stack of frames; None if no world is run or built."""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == _COMPILES:
            return None
        if module == _BUILDER:
            return frame, 0
        if module in _RUNTIME and (execution := frame.f_locals.get("execution")) is not None:
            return frame, len(execution.steps)
        frame = frame.f_back
    return None


def model_line(frame: FrameType | None, run: FrameType) -> str:
    """The innermost line of the model that is run or built: `mine.py, line 7`; empty if none of it is at work."""
    while frame is not None and frame is not run:
        if not _is_ours(frame) and not _is_library(frame):
            return f"{Path(frame.f_code.co_filename).name}, line {frame.f_lineno}"
        frame = frame.f_back
    return ""


def asking_line(frame: FrameType | None) -> str:
    """The line of a model that calls, perhaps through Python's library; empty if it is no model that calls."""
    while frame is not None and _is_library(frame):
        frame = frame.f_back
    run = run_of(frame)
    return "" if frame is None or run is None or _is_ours(frame) else model_line(frame, run[0])


def _is_ours(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__", "")).startswith(_OURS)


def _is_library(frame: FrameType) -> bool:
    return frame.f_code.co_filename.startswith((_LIBRARY, "<"))


def _whose(frame: FrameType | None, run: FrameType) -> str:
    """The actor whose coroutine is at work, or what else of the model is."""
    frames = []
    while frame is not None and frame is not run:
        frames.append(frame)
        frame = frame.f_back
    execution = run.f_locals.get("execution")
    for actor in () if execution is None else execution.world.actors:
        if actor.coroutine is not None and actor.coroutine.cr_frame in frames:
            return str(actor.name)
    return "the scenario function" if execution is None else "a property or a condition"
