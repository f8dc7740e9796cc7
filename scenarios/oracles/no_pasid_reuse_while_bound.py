"""A PASID is handed out only when the bond of its former owner is over (smmuv3 I8; vtd-pcie I6)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import PasidAllocated
from drivers.events.faults import BondEnded

from .oracle import EventOracle


class NoPasidReuseWhileBound(EventOracle):
    """Bindings are numbered: the one before has ended. The first is there when the world begins."""

    watches = (PasidAllocated, BondEnded)

    def __init__(self) -> None:
        self._bound: dict[int, int] = {}

    def observe(self, event: PasidAllocated | BondEnded) -> None:
        """Remember who has it."""
        former = self._bound.get(event.pasid, 1)
        match event:
            case PasidAllocated(pasid=pasid, mm=mm, binding=binding):
                if former:
                    raise Violation(
                        f"P{pasid} is given to {mm} while bind{former} still has it in the device", f"P{pasid}"
                    )
                self._bound[pasid] = binding
            case BondEnded(pasid=pasid, binding=binding) if binding == former:
                self._bound[pasid] = 0
