"""Drains of VT-d around a reset, and what their last step is worth (vtd-pcie §2.4, §3.6).

The right one is that of unbind without its D0, which ends in a wait with PD=1.
"""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.memory.pasid import Bond
from .prq import Drain


class PrqDrainFromD0(Drain):
    """BUG: as in unbind, where a device whose PRI is off has nothing to drain; around a reset it is off, and it has.

    What D0 looks at is taken for the function's own bit; a flag of the IOMMU's driver would still be set when another
    driver has switched PRI off, or an FLR has (not verified).
    """

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """D0: return at once if PRI is not enabled for the device."""
        if await self.function.enabled(cpu):
            await Drain.run(self, cpu, bond)


class PrqDrainOfSoftware(Drain):
    """BUG: each answer was waited for without PD, so that it may still be inside."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing: flush_workqueue was the last step."""


class PrqDrainWithoutPd(Drain):
    """BUG: the wait says that all ahead is complete, and a response is when it was executed (VTD-R25 is the same)."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """The batch of D3 with PD=0."""
        await self._qi.submit(cpu, *self.round_trip(bond))


class PrqDrainToTheDevice(Drain):
    """As on SMMUv3."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """PRI Status.Stopped."""
        await self.function.stopped(cpu)


PRQ_DRAINS: dict[str, type[Drain]] = {
    "worker": PrqDrainOfSoftware,
    "no-pd": PrqDrainWithoutPd,
    "d0": PrqDrainFromD0,
    "wait": Drain,
    "stopped": PrqDrainToTheDevice,
}
"""By the last step; `d0` is `wait` with one more step ahead of all."""
