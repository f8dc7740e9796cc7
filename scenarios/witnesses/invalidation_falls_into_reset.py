"""The witness: a page goes away while the function is in reset, and its notifier must deal with that."""

from __future__ import annotations

from drivers.events.reset import InvalidationWithheld
from hw.pcie.events import InvalidationMetReset

from .witness import FirstEvent


class InvalidationFallsIntoReset(FirstEvent):
    """Reached by an Invalidate Request that finds the function in reset, or by one that was withheld for that."""

    watches = (InvalidationMetReset, InvalidationWithheld)
