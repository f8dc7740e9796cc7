"""A VT-d driver with one step wrong: it shows that a property can be broken."""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable


class ForgetsDeviceTlb(PasidTable):
    """BUG: invalidates the IOTLB only; the device goes on through its own cache, into pages that were freed."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No device-TLB invalidation is submitted."""
