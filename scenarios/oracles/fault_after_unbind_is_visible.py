"""Use of a PASID after its unbind is refused, and the fault log says so (vtd-pcie I9, §3.8; VTD-R04)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import FpdWritten
from drivers.events.faults import BondEnded
from hw.pcie.events import UntranslatedSent
from hw.vtd.events import AccessAborted

from .oracle import EventOracle


class FaultAfterUnbindIsVisible(EventOracle):
    """Such an access is a genuine bug of device or driver, which somebody has to find."""

    watches = (FpdWritten, BondEnded, UntranslatedSent, AccessAborted)

    def __init__(self) -> None:
        self._over: set[int] = set()
        self._late: set[int] = set()
        self._set: set[int] = set()

    def observe(self, event: FpdWritten | BondEnded | UntranslatedSent | AccessAborted) -> None:
        """Accesses that were sent when unbind was over."""
        match event:
            case FpdWritten(pasid=pasid, fpd=fpd):
                (self._set.add if fpd else self._set.discard)(pasid)
            case BondEnded(pasid=pasid):
                self._over.add(pasid)
            case UntranslatedSent(pasid=pasid, tag=tag) if pasid in self._over:
                self._late.add(tag)
            case AccessAborted(pasid=pasid, tag=tag, logged=False) if tag in self._late:
                where = "" if pasid in self._set else " in the PASID cache"
                why = f"FPD is still set{where}" if event.silent else "the fault log is full"
                raise Violation(
                    f"access {tag} of P{pasid}, sent after unbind, is refused and leaves no trace: {why}", why
                )
