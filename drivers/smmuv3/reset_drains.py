"""Drains around a reset, and what their last step is worth (smmuv3 §1.5; vtd-pcie §2.4, §3.6).

When the worker is done, its answers are commands in a queue. SMMUv3 has no command that waits until they have left; on
VT-d a wait with PD=1 does.
"""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.faults.iopf import Iopf
from ..kernel.function_reset import Function
from ..kernel.iommu import RequestQueue
from ..kernel.memory.pasid import Bond
from .cmdq import Cmdq


class PriqDrain:
    """On SMMUv3, in the steps of VT-d's. BUG: it ends in a CMD_SYNC, which promises nothing about responses."""

    def __init__(self, queue: RequestQueue, iopf: Iopf, cmdq: Cmdq, function: Function) -> None:
        self.queue = queue
        self.iopf = iopf
        self.cmdq = cmdq
        self.function = function

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """PRI queue, partial list, worker, command queue."""
        await self.queue.drain(cpu)
        await self.iopf.discard_partial(cpu, None)
        await self.iopf.flush(cpu)
        await self.pushed(cpu, bond)

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Send a CMD_SYNC behind the responses."""
        await self.cmdq.issue_sync(cpu)


class PriqDrainOfSoftware(PriqDrain):
    """BUG: the answers may still be commands in the queue; the function may get them in its next life."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing: flush_workqueue was the last step."""


class PriqDrainToTheDevice(PriqDrain):
    """Lets the function say that it has every response; only before a reset, after which it knows of none."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """Wait for PRI Status.Stopped of the device."""
        await self.function.stopped(cpu)


PRIQ_DRAINS: dict[str, type[PriqDrain]] = {
    "worker": PriqDrainOfSoftware,
    "wait": PriqDrain,
    "stopped": PriqDrainToTheDevice,
}
"""By the last step."""
