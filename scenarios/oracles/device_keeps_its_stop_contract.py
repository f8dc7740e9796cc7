"""After a device reported that it stopped using a PASID it sends nothing more for it (PCIe 6.20.1; seed 002).

This one blames the device, not the driver.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import DeviceStopped, DmaIssued, PageRequestSent

from .oracle import EventOracle


class DeviceKeepsItsStopContract(EventOracle):
    """No page request and no DMA after the report; with style A, nothing unanswered at the report either."""

    watches = (DeviceStopped, PageRequestSent, DmaIssued)

    def __init__(self) -> None:
        self._stopped: set[int] = set()

    def observe(self, event: DeviceStopped | PageRequestSent | DmaIssued) -> None:
        """The report closes the PASID."""
        match event:
            case DeviceStopped(pasid=pasid, style=style, open_groups=left):
                if left and style == "A":
                    raise Violation(f"device reports P{pasid} stopped with {left} page requests unanswered", "report")
                self._stopped.add(pasid)
            case PageRequestSent(pasid=pasid) | DmaIssued(pasid=pasid) if pasid in self._stopped:
                raise Violation(
                    f"device sends `{event.label}` after it reported P{pasid} stopped: blame the device", "after stop"
                )
