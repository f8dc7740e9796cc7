"""An endpoint that writes to pages it expects to be present: translation requests and DMA, no page requests."""

from __future__ import annotations

from ..runtime.world import Cpu
from .device import Device


class Streamer(Device):
    """Each job is one write; a page that is gone is left alone."""

    async def engine(self, cpu: Cpu) -> None:
        """One job after the other."""
        for job in self.jobs:
            await self.access(cpu, job)


class StoppableStreamer(Streamer):
    """A streamer that stops when it is told to and its writes are done."""

    async def engine(self, cpu: Cpu) -> None:
        """Do all jobs, then stop."""
        await Streamer.engine(self, cpu)
        await self.stop(cpu)
