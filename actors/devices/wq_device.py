"""A device with a work queue: the PASID of a translation request is what WQCFG says when the request leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.kernel.idxd import DONE, DRAIN_WQ, ENABLE_WQ, WqRegisters
from hw.bus import Pasid
from hw.pcie.events import WorkTranslated

from ..runtime.world import Cpu
from .job import Job
from .streamer import Streamer

WQ = ("device", "WQ")
"""Whether the queue is on, for whom, and how much of its work is over."""


@dataclass(slots=True)
class WqDevice(Streamer):
    """It has one work of the queue's first owner, which may still go on when the queue has its second owner."""

    wq: WqRegisters = field(kw_only=True)
    on: bool = True
    owners: int = 1
    """How often the queue was switched on."""
    over: bool = False
    """Nothing of the first owner's work is left."""

    async def engine(self, cpu: Cpu) -> None:
        """Take the work, unless the queue is somebody else's already; its translation waits inside the device."""
        config = ("word", self.wq.pasid)
        await cpu.wait("the work, or another owner", lambda: self.on or self.owners > 1, reads=(config,), writes=(WQ,))
        if self.owners == 1:
            await self.work(cpu, self.jobs[0], Pasid(self.memory.read(self.wq.pasid)))
        await cpu.access("the work is over", writes=(WQ,))
        self.over = True

    async def work(self, cpu: Cpu, job: Job, owner: Pasid) -> None:
        """Translate, and write unless the work was aborted meanwhile."""
        self.pasid = Pasid(await cpu.load(self.wq.pasid, "WQCFG.PASID"))
        cpu.emit(WorkTranslated(work=owner, pasid=self.pasid))
        entry = await self.translate(cpu, job.pages[0])
        await cpu.access("may the work go on?", reads=(WQ,))
        if entry is not None and self.on and self.owners == 1:
            await self.dma(cpu, entry, job)

    async def commands(self, cpu: Cpu) -> None:
        """One after the other."""
        while True:
            command = await cpu.poll(self.wq.command, lambda word: word != DONE, "a command", idle=True)
            await self.obey(cpu, command)
            await cpu.store(self.wq.command, DONE, "device COMMAND = done")

    async def obey(self, cpu: Cpu, command: int) -> None:
        """Drain waits for works, Enable begins a new owner's time, Disable and Reset abort what is there."""
        if command == DRAIN_WQ:
            await cpu.wait("the works are over", lambda: self.over, reads=(WQ,))
            return
        await cpu.access("WQ on" if command == ENABLE_WQ else "WQ off", writes=(WQ,))
        self.on = command == ENABLE_WQ
        self.owners += self.on
