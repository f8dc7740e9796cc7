"""A device never has more page requests under way than software allocated to it (vtd-pcie I7; §1.4, VTD-R27).

Software makes its queue as large as the allocations of all devices. This one blames the device.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import PageRequestSent, ResponseReceived

from .oracle import EventOracle


class CreditsStayWithinTheAllocation(EventOracle):
    """What is counted are requests, not groups."""

    watches = (PageRequestSent, ResponseReceived)

    def __init__(self, allocation: int) -> None:
        self._allocation = allocation
        self._outstanding = 0

    def observe(self, event: PageRequestSent | ResponseReceived) -> None:
        """Each request takes one; a response says how many are left out."""
        if isinstance(event, ResponseReceived):
            self._outstanding = event.outstanding
            return
        self._outstanding += 1
        if self._outstanding > self._allocation:
            raise Violation(
                f"{self._outstanding} page requests are under way, and {self._allocation} were allocated: the queue "
                "that was made for those overflows, for everybody",
                "credits",
            )
