"""The witness: a page goes away while the function is in reset, and its notifier must deal with that."""

from __future__ import annotations

from typing import ClassVar

from drivers.events.reset import InvalidationWithheld
from hw.pcie.events import InvalidationMetReset


class InvalidationFallsIntoReset:
    """Reached by an Invalidate Request that finds the function in reset, or by one that was withheld for that."""

    watches: ClassVar[tuple[type, ...]] = (InvalidationMetReset, InvalidationWithheld)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: InvalidationMetReset | InvalidationWithheld) -> None:
        """One is enough."""
        self.reached = True
