"""When bind has returned, no access that the device begins is refused for want of its PASID entry (vtd-pcie §3.2)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import BindReturned
from hw.pcie.events import UntranslatedSent
from hw.vtd.events import AccessAborted

from .oracle import EventOracle


class NoRefusalAfterBind(EventOracle):
    """Whatever the IOMMU has seen before: in caching mode it remembers that the entry was absent."""

    watches = (BindReturned, UntranslatedSent, AccessAborted)

    def __init__(self) -> None:
        self._bound: set[int] = set()
        self._rightful: set[int] = set()

    def observe(self, event: BindReturned | UntranslatedSent | AccessAborted) -> None:
        """Accesses that were sent when bind had returned."""
        match event:
            case BindReturned(pasid=pasid):
                self._bound.add(pasid)
            case UntranslatedSent(pasid=pasid, tag=tag) if pasid in self._bound:
                self._rightful.add(tag)
            case AccessAborted(tag=tag) if tag in self._rightful:
                raise Violation(
                    f"access {tag} of P{event.pasid}, sent after bind, is refused ({event.reason}): the IOMMU goes by "
                    "what was there before",
                    f"P{event.pasid}",
                )
