"""An endpoint that writes through virtual addresses (AT=00) so many times, and never stops before."""

from __future__ import annotations

from ..runtime.world import Cpu
from .virtual_dma import Writer


class Burst(Writer):
    """One write a job."""

    async def engine(self, cpu: Cpu) -> None:
        """One job after the other."""
        for job in self.jobs:
            await self.access(cpu, job)
