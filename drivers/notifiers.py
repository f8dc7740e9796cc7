"""What a notifier waits for when a page goes away, before mm frees it (seed 001; vtd-pcie §3.4)."""

from __future__ import annotations

from hw.bus import VirtAddr
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING

from .cpu import Cpu
from .intel_vtd import PasidTable
from .invalidation_orders import OneSync, OneWait
from .pasid import Bond
from .quiet import QuietContexts


class DoesNotWaitForDevice(QuietContexts):
    """BUG: sends the ATC_INV and returns; the page is freed while the device still writes to it."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No SYNC."""
        await self._cmdq.issue(cpu, commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING))


class LeavesDeviceTlbPending(PasidTable):
    """BUG: the same on VT-d: there is a wait behind the descriptor, and nobody looks at its status."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Nobody spins."""
        await self._qi.post(cpu, self.device_tlb(bond))


class QuietWithOneSync(OneSync, QuietContexts):
    """BUG: as `OneSync`, with a release callback."""


NOTIFIERS: dict[str, type[QuietContexts]] = {
    "waits": QuietContexts,
    "one-sync": QuietWithOneSync,
    "no-wait": DoesNotWaitForDevice,
}
VTD_NOTIFIERS: dict[str, type[PasidTable]] = {
    "waits": PasidTable,
    "one-sync": OneWait,
    "no-wait": LeavesDeviceTlbPending,
}
