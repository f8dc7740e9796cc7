"""Drains of VT-d around a reset, and what their last step is worth (vtd-pcie §2.4, §3.6).

The right one is that of unbind without its D0, which ends in a wait with PD=1.
"""

from __future__ import annotations

from hw.bus import Resource

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .prq import PrqDrain

PRI_ENABLED: Resource = ("driver", "pri_enabled")


class PrqDrainFromD0(PrqDrain):
    """As in Linux: `pri_enabled` is the IOMMU driver's own, and stays set when an FLR or another driver ends PRI."""

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """D0: return at once if PRI is not enabled for the device."""
        if await self.enabled(cpu):
            await PrqDrain.run(self, cpu, bond)

    async def enabled(self, cpu: Cpu) -> bool:
        """The driver's flag, which nobody clears here."""
        await cpu.access("pri_enabled", reads=(PRI_ENABLED,))
        return True


class PrqDrainFromTheRegister(PrqDrainFromD0):
    """BUG: D0 asks the function's own bit. Around a reset it is off, and there is something to drain."""

    async def enabled(self, cpu: Cpu) -> bool:
        """Read PRI Control.Enable of the function."""
        return await self.function.enabled(cpu)


class PrqDrainOfSoftware(PrqDrain):
    """BUG: each answer was waited for without PD, so that it may still be inside."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing: flush_workqueue was the last step."""


class PrqDrainWithoutPd(PrqDrain):
    """BUG: the wait says that all ahead is complete, and a response is when it was executed (VTD-R25 is the same)."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """The batch of D3 with PD=0."""
        await self._qi.submit(cpu, *self.round_trip(bond))


class PrqDrainToTheDevice(PrqDrain):
    """The drain ends when the function says that it has stopped, as on SMMUv3."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Wait for PRI Status.Stopped of the function."""
        await self.function.stopped(cpu)


PRQ_DRAINS: dict[str, type[PrqDrain]] = {
    "worker": PrqDrainOfSoftware,
    "no-pd": PrqDrainWithoutPd,
    "d0": PrqDrainFromD0,
    "d0-register": PrqDrainFromTheRegister,
    "wait": PrqDrain,
    "stopped": PrqDrainToTheDevice,
}
"""By the last step; `d0` and `d0-register` are `wait` with one more step ahead of all."""
