"""Ctrl-C as a request: the first one is noticed between two schedules, so that nothing is ever cut in half.

A KeyboardInterrupt out of nowhere could end a detached task between two of its steps, and a nursery that waits for
that task would wait for ever. The second Ctrl-C does interrupt: it is for a model that loops without a step.

SIGTERM, by which job schedulers ask for an end, is the same request; some send it twice, so it interrupts only what has
not ended some seconds later.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType
from typing import TypeVar

import click

T = TypeVar("T")
REQUESTS = (signal.SIGINT, signal.SIGTERM)
PATIENCE = 3.0
"""Seconds after a request in which a schedule should have ended."""


class Stopped(Exception):
    """Ctrl-C was pressed, and what was going on ended between two runs."""


class StopRequest:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False
        self._must_end = self._said = False

    def between(self, make: Callable[[], T]) -> Callable[[], T]:
        """`make`, but Stopped once Ctrl-C was pressed; for the maker of the worlds of a search that nobody watches."""

        def checked() -> T:
            if self.requested:
                raise Stopped
            return make()

        return checked

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        if self.requested and signal_number == signal.SIGINT:
            raise KeyboardInterrupt
        self.requested = True
        self._must_end = signal_number == signal.SIGTERM
        signal.setitimer(signal.ITIMER_REAL, PATIENCE, PATIENCE)

    def _is_late(self, signal_number: int, frame: FrameType | None) -> None:
        if self._must_end:
            raise KeyboardInterrupt
        if not self._said:
            self._said = True
            click.echo("stopmarker: a schedule does not end; Ctrl-C again interrupts it", err=True)


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Ctrl-C and SIGTERM set a flag inside the block."""
    request = StopRequest()
    before = [(number, signal.signal(number, request._handle)) for number in REQUESTS]
    before.append((signal.SIGALRM, signal.signal(signal.SIGALRM, request._is_late)))
    try:
        yield request
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before:
            signal.signal(number, handler)


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
