"""No non-recoverable fault of a PASID is reported before its device has stopped (vtd-pcie I9; VTD-R01)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import DeviceStopped
from hw.vtd.events import FaultRecorded

from .oracle import EventOracle


class FaultLogIsSilentUntilStop(EventOracle):
    """Up to then the device does nothing wrong: nobody has told it that the process is gone."""

    watches = (DeviceStopped, FaultRecorded)

    def __init__(self) -> None:
        self._stopped: set[int] = set()

    def observe(self, event: DeviceStopped | FaultRecorded) -> None:
        """A fault that a register took, or that an overflow lost; what was sent before the report has ended by then."""
        match event:
            case DeviceStopped(pasid=pasid):
                self._stopped.add(pasid)
            case FaultRecorded(pasid=pasid) if pasid not in self._stopped:
                raise Violation(
                    f"{event.reason} of P{pasid} ({event.kind.lower().replace('_', ' ')}) goes into the fault log, "
                    "although nothing is wrong",
                    event.reason,
                )
