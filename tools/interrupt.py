"""Ctrl-C and SIGTERM as a request, which a command hears from its first line to its last.

It is noticed between two schedules, so that nothing is cut in half: a KeyboardInterrupt out of nowhere could end a
detached task between two of its steps, and a nursery that waits for that task would wait for ever. What has not ended
some seconds later is interrupted all the same, as by a second Ctrl-C (job schedulers send SIGTERM twice, so a second
one means nothing). What goes on even then, since a model swallows the interrupt, ends with its process.

The same clock looks whether a run still takes steps (`tools.standstill`).
"""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import TypeVar

from .exits import Exit
from .leaving import end_hard
from .standstill import Standstill

T = TypeVar("T")
REQUESTS = (signal.SIGINT, signal.SIGTERM)
TICK = 1.0
"""Seconds between two looks at how it goes."""
PATIENCE = 2
"""Ticks after a request in which what goes on should have ended."""


class Stopped(Exception):
    """What was going on ended between two runs, for Ctrl-C or since its time was over."""


class StopRequest:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False
        self._ticks = 0
        """Since the request."""
        self._interrupts = 0
        self._standstill = Standstill()

    def check(self) -> None:
        """KeyboardInterrupt if Ctrl-C was pressed; for where nothing is half done."""
        if self.requested:
            raise KeyboardInterrupt

    def between(self, make: Callable[[], T], until: float = math.inf) -> Callable[[], T]:
        """`make`, but Stopped once Ctrl-C was pressed, or the clock (`time.monotonic`) says `until`.

        For the maker of the worlds of a search that nobody watches.
        """

        def checked() -> T:
            if self.requested or time.monotonic() >= until:
                raise Stopped
            return make()

        return checked

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        if not self.requested:
            self.requested = True
        elif signal_number == signal.SIGINT:
            self._interrupt()

    def _tick(self, signal_number: int, frame: FrameType | None) -> None:
        if self.requested:
            self._ticks += 1
            if self._ticks % PATIENCE == 0:
                self._interrupt()
        else:
            self._standstill.look(frame)

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._interrupts > 1:
            end_hard("interrupted; what went on did not end by itself", Exit.INTERRUPTED)
        raise KeyboardInterrupt


_heard: list[StopRequest] = []
"""The request of the command that runs; of none, if somebody uses the library."""


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Ctrl-C and SIGTERM set a flag inside the block. In a block within a block it is the same flag: none is lost."""
    if _heard:
        yield _heard[-1]
        return
    request = StopRequest()
    handlers = {**dict.fromkeys(REQUESTS, request._handle), signal.SIGALRM: request._tick}
    before = [(number, signal.signal(number, handler)) for number, handler in handlers.items()]
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
    _heard.append(request)
    try:
        yield request
    finally:
        _heard.pop()
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before:
            signal.signal(number, handler)


def watch_worker() -> None:
    """Begin to look whether runs take steps, in a process that others ask to end; for the rest of its life."""
    standstill = Standstill()
    signal.signal(signal.SIGALRM, lambda _, frame: standstill.look(frame))
    signal.setitimer(signal.ITIMER_REAL, TICK, TICK)


@contextmanager
def deaf(*signals: signal.Signals) -> Iterator[None]:
    """Processes and threads that are started inside the block never hear these; the caller hears them after it.

    They go to the whole process group, and what they mean is for the coordinator to say.
    """
    resource_tracker.ensure_running()  # else it comes with the first process, and unblocks signals as it does
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
