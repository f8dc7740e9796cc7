"""When unbind is over, no access that the device begins reaches memory through the binding (vtd-pcie I1)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.fault_events import BondEnded
from hw.events import DmaLanded
from hw.pcie.events import UntranslatedSent
from hw.vtd.events import DmaRead


class NoAccessAfterUnbind:
    """Whatever the device does: the IOMMU is there to keep it out."""

    watches: ClassVar[tuple[type, ...]] = (BondEnded, UntranslatedSent, DmaLanded, DmaRead)

    def __init__(self) -> None:
        self._over: set[int] = set()
        self._late: set[int] = set()

    def observe(self, event: BondEnded | UntranslatedSent | DmaLanded | DmaRead) -> None:
        """Accesses that were sent when unbind was over."""
        match event:
            case BondEnded(pasid=pasid):
                self._over.add(pasid)
            case UntranslatedSent(pasid=pasid, tag=tag) if pasid in self._over:
                self._late.add(tag)
            case DmaLanded(tag=tag) | DmaRead(tag=tag) if tag in self._late:
                raise Violation(
                    f"access {tag} of P{event.pasid}, sent after unbind, reaches {event.page:#x} ({event.owner}): "
                    "something of the old binding is still cached",
                    f"P{event.pasid}",
                )

    def at_quiescence(self) -> None:
        """Nothing more."""
