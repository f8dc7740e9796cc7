"""A VT-d driver with one step wrong: it shows that a property can be broken."""

from __future__ import annotations

from hw.tlb import PageRange

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable


class ForgetsDeviceTlb(PasidTable):
    """BUG: invalidates the IOTLB only; the device goes on through its own cache, into pages that were freed."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No device-TLB invalidation is submitted."""


class ForgetsIotlb(PasidTable):
    """BUG: a tear-down that nobody's access is waited for, since only the IOTLB's invalidation does that."""

    async def invalidate_iotlb(self, cpu: Cpu, bond: Bond, pages: PageRange | None = None) -> None:
        """No IOTLB invalidation is submitted."""
