"""Who asks no device for anything never hears that a device did not answer (VTD-R21; vtd-pcie §2.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.reset import GivenUp

from .oracle import EventOracle


class OnlyWhoAsksADeviceGivesUp(EventOracle):
    """An IOTLB invalidation that is given up is done by nobody, and its submitter frees the page."""

    watches = (GivenUp,)

    def observe(self, event: GivenUp) -> None:
        """A submission has ended without its wait."""
        if not event.device_tlb:
            raise Violation(
                f"a submission that asks no device hears of another's time-out, and returns before its wait "
                f"#{event.wait} is complete: what it wanted to be forgotten is not",
                "invalidation queue",
            )
