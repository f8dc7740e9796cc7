"""Drains around a reset, and what their last step is worth (smmuv3 §1.5; vtd-pcie §2.4, §3.6).

When the worker is done, its answers are commands in a queue. SMMUv3 has no command that waits until they have left; on
VT-d a wait with PD=1 does.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from . import intel_vtd_prq
from .arm_smmu_v3 import Cmdq
from .cpu import Cpu
from .iommu import RequestQueue
from .iopf import Iopf
from .pasid import Bond

Stopped = Callable[[Any], Coroutine[Any, Any, None]]
"""Software's wait for PRI Status.Stopped of the function."""
Enabled = Callable[[Any], Coroutine[Any, Any, bool]]
"""Software's look at PRI Control.Enable of the function."""


class PriqDrain:
    """On SMMUv3, in the steps of VT-d's. BUG: it ends in a CMD_SYNC, which promises nothing about responses."""

    def __init__(self, queue: RequestQueue, iopf: Iopf, cmdq: Cmdq, stopped: Stopped) -> None:
        self.queue = queue
        self.iopf = iopf
        self.cmdq = cmdq
        self.stopped = stopped

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """PRI queue, partial list, worker, command queue."""
        await self.queue.drain(cpu)
        await self.iopf.discard_partial(cpu, None)
        await self.iopf.flush(cpu)
        await self.pushed(cpu, bond)

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """A CMD_SYNC behind the responses."""
        await self.cmdq.issue_sync(cpu)


class PriqDrainOfSoftware(PriqDrain):
    """BUG: the answers may still be commands in the queue; the function may get them in its next life."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing: flush_workqueue was the last step."""


class PriqDrainToTheDevice(PriqDrain):
    """Lets the function say that it has every response; only before a reset, after which it knows of none."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """PRI Status.Stopped."""
        await self.stopped(cpu)


class PrqDrain(intel_vtd_prq.Drain):
    """On VT-d: the drain of unbind without its D0, which ends in a wait with PD=1."""

    stopped: Stopped
    enabled: Enabled
    """Both are set when the world is built."""


class PrqDrainFromD0(PrqDrain):
    """BUG: as in unbind, where a device whose PRI is off has nothing to drain; around a reset it is off, and it has.

    What D0 looks at is taken for the function's own bit; a flag of the IOMMU's driver would still be set when another
    driver has switched PRI off, or an FLR has (not verified).
    """

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """D0: return at once if PRI is not enabled for the device."""
        if await self.enabled(cpu):
            await PrqDrain.run(self, cpu, bond)


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
    """As on SMMUv3."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """PRI Status.Stopped."""
        await self.stopped(cpu)


PRIQ_DRAINS: dict[str, type[PriqDrain]] = {
    "worker": PriqDrainOfSoftware,
    "wait": PriqDrain,
    "stopped": PriqDrainToTheDevice,
}
PRQ_DRAINS: dict[str, type[PrqDrain]] = {
    "worker": PrqDrainOfSoftware,
    "no-pd": PrqDrainWithoutPd,
    "d0": PrqDrainFromD0,
    "wait": PrqDrain,
    "stopped": PrqDrainToTheDevice,
}
"""By the last step; `d0` is `wait` with one more step ahead of all."""
