"""An endpoint that makes a fixed number of writes to virtual addresses (AT=00), and does not stop before the last."""

from __future__ import annotations

from ..runtime.world import Cpu
from .virtual_dma import Writer


class Burst(Writer):
    """Each job is one write."""

    async def engine(self, cpu: Cpu) -> None:
        """One job after the other."""
        for job in self.jobs:
            await self.access(cpu, job)
