"""Notifiers with one step wrong: what becomes of the device's own TLB when a page goes away (seed 001)."""

from __future__ import annotations

from hw.bus import VirtAddr
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING

from .cpu import Cpu
from .pasid import Bond
from .quiet import QuietContexts


class DoesNotWaitForDevice(QuietContexts):
    """BUG: sends the ATC_INV and returns; the page is freed while the device still writes to it."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """No SYNC."""
        await self._cmdq.issue(cpu, commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING))


NOTIFIERS: dict[str, type[QuietContexts]] = {"waits": QuietContexts, "no-wait": DoesNotWaitForDevice}
