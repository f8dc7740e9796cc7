"""When unbind is over, FPD does not stand in the PASID's entry, nor is it set later (vtd-pcie I9; §3.3, VTD-R04)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import ContextWritten, FpdWritten
from drivers.events.faults import BondEnded

from .oracle import EventOracle


class FpdIsClearAfterUnbind(EventOracle):
    """Whether or not anybody does anything that would be hidden; the next binding may set it again."""

    watches = (ContextWritten, FpdWritten, BondEnded)

    def __init__(self) -> None:
        self._set: set[int] = set()
        self._over: set[int] = set()

    def observe(self, event: ContextWritten | FpdWritten | BondEnded) -> None:
        """Stores to the entry, and the moment that matters."""
        match event:
            case ContextWritten(pasid=pasid, valid=True):
                self._over.discard(pasid)
            case FpdWritten(pasid=pasid, fpd=fpd):
                (self._set.add if fpd else self._set.discard)(pasid)
            case BondEnded(pasid=pasid):
                self._over.add(pasid)
        if event.pasid in self._set & self._over:
            when = "is still set when" if isinstance(event, BondEnded) else "is set after"
            raise Violation(
                f"FPD of P{event.pasid} {when} unbind is over: whatever its device does from now on leaves no trace",
                f"P{event.pasid}",
            )
