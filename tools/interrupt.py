"""Ctrl-C as a request: the first one is noticed between two schedules, so that nothing is ever cut in half.

A KeyboardInterrupt out of nowhere could end a detached task between two of its steps, and a nursery that waits for
that task would wait for ever. The second Ctrl-C does interrupt: it is for a model that loops without a step.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """Ctrl-C was pressed, and what was going on ended between two runs."""


class StopRequest:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self.requested = False

    def between(self, make: Callable[[], T]) -> Callable[[], T]:
        """`make`, but Stopped once Ctrl-C was pressed; for the maker of the worlds of a search that nobody watches."""

        def checked() -> T:
            if self.requested:
                raise Stopped
            return make()

        return checked

    def _handle(self, signal_number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Ctrl-C sets a flag inside the block."""
    request = StopRequest()
    before = signal.signal(signal.SIGINT, request._handle)
    try:
        yield request
    finally:
        signal.signal(signal.SIGINT, before)
