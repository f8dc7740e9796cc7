"""No ATC invalidation is sent to a function that may not answer it (VTD-R23, SMMU-R50; vtd-pcie §1.6)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.pcie.events import InvalidationTimedOut

from .oracle import EventOracle


class NoInvalidationTimesOut(EventOracle):
    """A time-out stops the command queue for everybody, not only for that function."""

    watches = (InvalidationTimedOut,)

    def observe(self, event: InvalidationTimedOut) -> None:
        """The first is one too many."""
        raise Violation(
            f"ATC invalidation (command {event.command}) was sent to a function that does not answer, and times out: "
            "the wait behind it fails, and the queue stops for all devices",
            "ATC invalidation",
        )
