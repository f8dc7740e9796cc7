"""The endpoint's own driver: stop the device, and say in what state the PASID was left (seed 002)."""

from __future__ import annotations

from collections.abc import Mapping

from hw.bus import Pasid, PhysAddr

from ..cpu import Cpu
from .memory.pasid import begin_teardown

FLUSHED = 1
"""IOMMU_PASID_FLUSHED: nothing new comes from the device, but requests may still be in the PRI queue."""
CLEAN = 2
"""IOMMU_PASID_CLEAN: FLUSHED, and nothing is left in the IOMMU either (smmuv3 §4.3)."""


RUNNING, STOP, STOPPED = 0, 1, 2
REPORT: Mapping[str, Mapping[str, int]] = {
    "right": {"A": CLEAN, "B": FLUSHED, "broken": CLEAN},
    "swapped": {"A": FLUSHED, "B": CLEAN, "broken": FLUSHED},
    "missing": {"A": 0, "B": 0, "broken": 0},
}
"""What the driver says, by how honest it is and how its device stops. A device that waited for every response leaves
the PASID CLEAN, one that sends a Stop Marker leaves it FLUSHED (smmuv3 §4.3: the commit message of seed 002
has them the wrong way round)."""


class Endpoint:
    """Two registers: CONTROL (write STOP) and STATUS (reads STOPPED); and the PRI Enable bit of configuration space."""

    def __init__(
        self, control: PhysAddr, status: PhysAddr, pri_enable: PhysAddr, report: int, *, announces: bool = True
    ) -> None:
        """`announces`: somebody asks when a tear-down begins, a step of its own, which races with the PASID's uses."""
        self.control = control
        self.status = status
        self.pri_enable = pri_enable
        self._report = report
        self._announces = announces

    async def stop(self, cpu: Cpu, pasid: Pasid) -> int:
        """Make the device stop using the PASID and wait until it says so; FLUSHED, CLEAN, or 0."""
        if self._announces:
            await begin_teardown(cpu, pasid)
        await cpu.store(self.control, STOP, "device CONTROL = STOP")
        await cpu.poll(self.status, lambda status: status == STOPPED, "device STATUS = STOPPED")
        return self._report

    async def disable_pri(self, cpu: Cpu) -> None:
        """Clear PRI Control.Enable: no new requests, the old ones live on."""
        await cpu.store(self.pri_enable, 0, "device PRI Enable = 0")
