"""The order in which a page is taken out of TLB and ATC (smmuv3 §2.3, §3.7; SMMU-R15, VTD-R28): one is always right."""

from __future__ import annotations

from hw.bus import VirtAddr, Vmid
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .contexts import StreamContexts


class AtcBeforeTlb(StreamContexts):
    """BUG: the endpoint answers the ATC_INV, asks again, and gets the old page from the TLB (353e3cf8590c)."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """ATC_INV and SYNC, then TLBI and SYNC."""
        await self.invalidate_atc(cpu, bond)
        await self._cmdq.issue_sync(cpu, commands.tlbi_nh_asid(Vmid(0), bond.mm.asid))


class OneSync(StreamContexts):
    """BUG: only a SYNC orders two commands; without one between them the ATC_INV may be done first."""

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """Both commands in one batch, and one SYNC behind them."""
        await self._cmdq.issue_sync(
            cpu,
            commands.tlbi_nh_asid(Vmid(0), bond.mm.asid),
            commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING),
        )


ORDERS: dict[str, type[StreamContexts]] = {
    "atc-first": AtcBeforeTlb,
    "one-sync": OneSync,
    "tlbi-sync-atc": StreamContexts,
}
