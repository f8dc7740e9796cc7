"""In which order a page is taken out of IOTLB and device TLB (vtd-pcie §2.4): one is right on every IOMMU."""

from __future__ import annotations

from hw.vtd.descriptors import pasid_iotlb

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable


class AtcBeforeIotlb(PasidTable):
    """BUG: the endpoint answers the invalidation, asks again, and gets the old page from the IOTLB."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Device TLB and wait, then IOTLB and wait."""
        await self.invalidate_atc(cpu, bond)
        await self.invalidate_iotlb(cpu, bond)


class OneWait(PasidTable):
    """No bug here: VT-d begins a device-TLB invalidation after the IOTLB invalidations ahead of it (vtd-pcie §2.4)."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Both descriptors in one batch, and one wait behind them."""
        await self._qi.submit(cpu, pasid_iotlb(self.did(bond), bond.pasid), self.device_tlb(bond))


VTD_ORDERS: dict[str, type[PasidTable]] = {
    "atc-first": AtcBeforeIotlb,
    "one-sync": OneWait,
    "tlbi-sync-atc": PasidTable,
}
