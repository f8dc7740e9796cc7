"""A second context of a function: it works with a PASID of its own, and shares the page request interface."""

from __future__ import annotations

from dataclasses import dataclass

from hw.pcie.events import HeldUp

from ..runtime.world import Cpu
from .prefetcher import Prefetcher


@dataclass(slots=True)
class SecondContext(Prefetcher):
    """It asks for one page. Where PRI is off it waits until PRI is on again, however long that takes."""

    async def engine(self, cpu: Cpu) -> None:
        """One request and its answer."""
        (job,) = self.jobs
        while not await self.request(cpu, job):
            cpu.emit(HeldUp(pasid=self.pasid))
            await cpu.poll(self.endpoint.pri_enable, bool, "PRI is on again")
        await self.complete(cpu, job)
