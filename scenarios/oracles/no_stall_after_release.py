"""After an mm's release callback no DMA of its PASID stalls: each stall of a dead process costs a RESUME (SMMU-R37)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import ReleaseReturned
from hw.events.faults import DmaStalled

from .oracle import EventOracle


class NoStallAfterRelease(EventOracle):
    """The callback's SYNC has waited for every access that used the old CD."""

    watches = (ReleaseReturned, DmaStalled)

    def __init__(self) -> None:
        self._released: set[int] = set()

    def observe(self, event: ReleaseReturned | DmaStalled) -> None:
        """The release closes the PASID."""
        match event:
            case ReleaseReturned(pasid=pasid):
                self._released.add(pasid)
            case DmaStalled(pasid=pasid, stag=stag) if pasid in self._released:
                raise Violation(
                    f"DMA of P{pasid} stalls under STAG {stag} after its process died: with thousands of them, each "
                    "with a record and a RESUME, the kill takes seconds",
                    f"P{pasid}",
                )
