"""A PASID is handed out only when no queue, list or work refers to its former owner (smmuv3 I8; vtd-pcie I6)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import FaultDropped, FaultResolved, PasidAllocated
from hw.events.link import PageRequestQueued

from .oracle import EventOracle


class NoPasidReuseWhileReferenced(EventOracle):
    """Every page request that was queued for a PASID is resolved or discarded before the PASID changes hands."""

    watches = (PageRequestQueued, FaultResolved, FaultDropped, PasidAllocated)

    def __init__(self) -> None:
        self._references: dict[int, set[int]] = {}

    def observe(self, event: PageRequestQueued | FaultResolved | FaultDropped | PasidAllocated) -> None:
        """Count references in, count them out, and look when the PASID is handed out."""
        references = self._references.setdefault(event.pasid, set())
        match event:
            case PageRequestQueued(number=number, marker=False):
                references.add(number)
            case FaultResolved(number=number) | FaultDropped(number=number):
                references.discard(number)
            case PasidAllocated(pasid=pasid, mm=mm) if references:
                raise Violation(
                    f"P{pasid} is given to {mm} while request #{min(references)} of its former owner is still between "
                    "PRIQ and worker",
                    f"P{pasid}",
                )
