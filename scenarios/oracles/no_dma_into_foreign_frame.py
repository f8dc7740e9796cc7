"""No device access reaches a frame that is free or somebody else's (smmuv3 I3; vtd-pcie I1, I2).

A page is freed as soon as its notifier or tear-down returns: who still uses the translation then is found out here.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import DmaLanded
from hw.vtd.events import DmaRead

from .oracle import EventOracle


class NoDmaIntoForeignFrame(EventOracle):
    """The owner of the frame, when memory is accessed, is the process whose job it is."""

    watches = (DmaLanded, DmaRead)

    def observe(self, event: DmaLanded | DmaRead) -> None:
        """Compare the owners."""
        if event.owner != event.meant_for:
            if isinstance(event, DmaRead):
                what, harm = f"a read for {event.meant_for} comes from", "data leaks"
            else:
                what, harm = f"a write for {event.meant_for} lands in", "memory corruption"
            raise Violation(f"{what} {event.page:#x}, which is {event.owner}: {harm}", event.owner)
