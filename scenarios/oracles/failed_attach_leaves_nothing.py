"""An attach that has failed leaves its master on no domain's list, and no valid CD in its table (smmuv3 §3.15)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.attach import ContextStored, MasterListed
from drivers.smmuv3.attach.failing import AttachFailed

from .oracle import EventOracle


class FailedAttachLeavesNothing(EventOracle):
    """Looked at when everybody is done: while somebody is at work, the two may differ."""

    watches = (ContextStored, MasterListed, AttachFailed)

    def __init__(self, table: int) -> None:
        """`table` is the CD table of the master whose attach fails."""
        self._table = table
        self._valid = False
        self._listed: list[str] = []
        self._failed = ""

    def observe(self, event: ContextStored | MasterListed | AttachFailed) -> None:
        """The master's CD, its lists, and the failure."""
        match event:
            case ContextStored(table=table, asid=asid) if table == self._table:
                self._valid = asid != 0
            case MasterListed(domain=domain, listed=True):
                self._listed.append(domain)
            case MasterListed(domain=domain) if domain in self._listed:
                self._listed.remove(domain)
            case AttachFailed(who=who):
                self._failed = who
            case _:
                pass

    def at_quiescence(self) -> None:
        """Nothing may be left."""
        if self._failed and (self._valid or self._listed):
            left = "has a valid CD 0" if self._valid else "has no valid CD"
            where = f"is on the list of {' and '.join(self._listed)}" if self._listed else "is on no list"
            raise Violation(
                f"the attach of {self._failed} has failed, yet it {left} and {where}: the CD stays programmed while "
                "the domain appears to be unattached",
                self._failed,
            )
