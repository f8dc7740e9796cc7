"""No access uses a TLB entry that was filled from another table than its own CD points to (smmuv3 I2; seed 004)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.attach import AccessLanded

from .oracle import EventOracle


class NoAccessThroughAForeignEntry(EventOracle):
    """The table of the entry is the table of the CD."""

    watches = (AccessLanded,)

    def observe(self, event: AccessLanded) -> None:
        """Compare the two."""
        if event.found != event.meant:
            raise Violation(
                f"{event.who} has ASID {event.asid} and hits a TLB entry of that ASID that came from the tables of "
                f"{event.through}, not from its own: it reaches page {event.page:#x} of somebody else",
                f"stream {event.sid}",
            )
