"""What a notifier waits for when a page goes away, before mm frees it (seed 001; vtd-pcie §3.4)."""

from __future__ import annotations

from hw.bus import VirtAddr
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .contexts import StreamContexts
from .invalidation_orders import OneSync


class DoesNotWaitForDevice(StreamContexts):
    """BUG: sends the ATC_INV and returns; the page is freed while the device still writes to it."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """The ATC_INV is sent without a CMD_SYNC behind it."""
        await self._cmdq.issue(cpu, commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING))


NOTIFIERS: dict[str, type[StreamContexts]] = {
    "waits": StreamContexts,
    "one-sync": OneSync,
    "no-wait": DoesNotWaitForDevice,
}
