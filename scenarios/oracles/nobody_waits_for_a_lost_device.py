"""A device-TLB invalidation is not submitted again when the device can never answer it (vtd-pcie I8; VTD-R21)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.reset import Resubmitted

from .oracle import EventOracle


class NobodyWaitsForALostDevice(EventOracle):
    """For devices that do not come back: a time-out says that the device was gone, and it will time out again.

    Each further time-out aborts the waits of everybody else, and the submitter spins with interrupts off.
    """

    watches = (Resubmitted,)

    def observe(self, event: Resubmitted) -> None:
        """The first repetition is as good as all."""
        if event.device_tlb:
            raise Violation(
                "a device-TLB invalidation is submitted again to a device that is gone: it will time out, and time "
                "out again, for ever",
                "device TLB",
            )
