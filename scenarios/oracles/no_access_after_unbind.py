"""When unbind is over, no access that the device begins reaches memory through the binding (vtd-pcie I1)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import BondEnded
from hw.events.link import DmaIssued, DmaLanded
from hw.pcie.events import UntranslatedSent
from hw.vtd.events import DmaRead

from .oracle import EventOracle


class NoAccessAfterUnbind(EventOracle):
    """Whatever the device does: the IOMMU is there to keep it out, and the device's own TLB is its to empty."""

    watches = (BondEnded, UntranslatedSent, DmaIssued, DmaLanded, DmaRead)

    def __init__(self) -> None:
        self._over: set[int] = set()
        self._late: set[int] = set()
        """By tag, untranslated ones."""
        self._late_writes: set[int] = set()
        """By ordinal, translated ones."""

    def observe(self, event: BondEnded | UntranslatedSent | DmaIssued | DmaLanded | DmaRead) -> None:
        """Accesses that were sent when unbind was over."""
        match event:
            case BondEnded(pasid=pasid):
                self._over.add(pasid)
            case UntranslatedSent(pasid=pasid, tag=tag) if pasid in self._over:
                self._late.add(tag)
            case DmaIssued(pasid=pasid, ordinal=ordinal) if pasid in self._over:
                self._late_writes.add(ordinal)
            case DmaLanded(ordinal=ordinal) if ordinal in self._late_writes:
                self._complain(event, "a translated write", "the device's own TLB still has the old translation")
            case DmaLanded(tag=tag) | DmaRead(tag=tag) if tag in self._late:
                self._complain(event, f"access {tag}", "something of the old binding is still cached")

    def _complain(self, event: DmaLanded | DmaRead, what: str, why: str) -> None:
        raise Violation(
            f"{what} of P{event.pasid}, sent after unbind, reaches {event.page:#x} ({event.owner}): {why}",
            f"P{event.pasid}",
        )
