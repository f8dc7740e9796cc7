"""Nobody hears that a device-TLB invalidation is complete which timed out (vtd-pcie I1; §2.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.reset import SubmissionEnded
from hw.pcie.events import InvalidationTimedOut

from .oracle import EventOracle


class NoSuccessAfterATimeOut(EventOracle):
    """Who submitted it would free the page, and nobody knows what the device still has of it."""

    watches = (InvalidationTimedOut, SubmissionEnded)

    def __init__(self) -> None:
        self._timed_out: set[int] = set()

    def observe(self, event: InvalidationTimedOut | SubmissionEnded) -> None:
        """A submission covers its descriptors, up to its own wait."""
        match event:
            case InvalidationTimedOut(command=command):
                self._timed_out.add(command)
            case SubmissionEnded(first=first, wait=wait, complete=True):
                for number in range(first, wait):
                    if number in self._timed_out:
                        raise Violation(
                            f"device-TLB invalidation #{number} timed out, and its submitter hears that it is "
                            "complete: the device may still use what was to be taken from it",
                            "device TLB",
                        )
