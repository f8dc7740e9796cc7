"""A write that uses a translation leaves the device before the answer to the invalidation of it (vtd-pcie I12; §1.3).

This one blames the device: whatever becomes of the page, the host may now think that nobody uses it.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import DmaIssued

from .oracle import EventOracle


class NoWriteBehindItsInvalidation(EventOracle):
    """Both are posted and stay in order, so that what leaves first is in memory first."""

    watches = (DmaIssued,)

    def observe(self, event: DmaIssued) -> None:
        """The device's own order of the two."""
        if event.behind >= 0:
            raise Violation(
                f"the device has answered the invalidation of {event.page:#x} for P{event.pasid} (ITag {event.behind}) "
                "and writes there by the old translation: blame the device",
                f"P{event.pasid}",
            )
