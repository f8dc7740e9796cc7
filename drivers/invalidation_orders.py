"""The order in which a page is taken out of TLB and ATC (smmuv3 §2.3, §3.7; SMMU-R15, VTD-R28): one is always right."""

from __future__ import annotations

from hw.bus import VirtAddr, Vmid
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING
from hw.vtd.descriptors import pasid_iotlb

from .arm_smmu_v3 import Contexts
from .cpu import Cpu
from .intel_vtd import PasidTable
from .pasid import Bond


class AtcBeforeTlb(Contexts):
    """BUG: the endpoint answers the ATC_INV, asks again, and gets the old page from the TLB (353e3cf8590c)."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """ATC_INV and SYNC, then TLBI and SYNC."""
        await self.invalidate_atc(cpu, bond)
        await self._cmdq.issue_sync(cpu, commands.tlbi_nh_asid(Vmid(0), bond.mm.asid))


class OneSync(Contexts):
    """BUG: only a SYNC orders two commands; without one between them the ATC_INV may be done first."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Both commands in one batch, and one SYNC behind them."""
        await self._cmdq.issue_sync(
            cpu,
            commands.tlbi_nh_asid(Vmid(0), bond.mm.asid),
            commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING),
        )


class AtcBeforeIotlb(PasidTable):
    """BUG: the same on VT-d."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Device TLB and wait, then IOTLB and wait."""
        await self.invalidate_atc(cpu, bond)
        await self.invalidate_iotlb(cpu, bond)


class OneWait(PasidTable):
    """No bug here: VT-d begins a device-TLB invalidation after the IOTLB invalidations ahead of it (vtd-pcie §2.4)."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Both descriptors in one batch, and one wait behind them."""
        await self._qi.submit(cpu, pasid_iotlb(self.did(bond), bond.pasid), self.device_tlb(bond))


ORDERS: dict[str, type[Contexts]] = {"atc-first": AtcBeforeTlb, "one-sync": OneSync, "tlbi-sync-atc": Contexts}
VTD_ORDERS: dict[str, type[PasidTable]] = {
    "atc-first": AtcBeforeIotlb,
    "one-sync": OneWait,
    "tlbi-sync-atc": PasidTable,
}
