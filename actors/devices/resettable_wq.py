"""A device with PRI whose work queue can be reset: the function lives on, with PRI switched on, and forgets its tags.

When a device begins anew with its tags is a property of the device (seed 001): this one does so when its queue is
reset.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.kernel.idxd import DONE, DRAIN_WQ, ENABLE_WQ, WqRegisters
from hw.events.link import DEVICE_PRI
from hw.pcie.events import FunctionReset

from ..runtime.world import Cpu
from .job import Job
from .resettable import ResettableFunction


@dataclass(slots=True, kw_only=True)
class ResettableWq(ResettableFunction):
    """Job n belongs to life n of the queue."""

    wq: WqRegisters = field(kw_only=True)
    on: bool = True
    """The queue takes work, and its work may ask for pages."""

    def may_ask(self, job: Job) -> bool:
        """The queue has to be on, too."""
        return self.on and ResettableFunction.may_ask(self, job)

    async def commands(self, cpu: Cpu) -> None:
        """One after the other. The write of a command comes behind the responses that were sent before it; who reads
        that it is done has all page requests before that, since data pushes them.
        """
        while True:
            command = await cpu.poll(self.wq.command, lambda word: word != DONE, "a command", idle=True)
            await self.downstream.flush(cpu)
            await self.obey(cpu, command)
            await self.upstream.flush(cpu)
            await cpu.store(self.wq.command, DONE, "device COMMAND = done")

    async def obey(self, cpu: Cpu, command: int) -> None:
        """Drain takes no new work and waits for the answers of the old; Reset forgets; Enable begins a new life."""
        if command == DRAIN_WQ:
            await cpu.access("the WQ takes no work", writes=(DEVICE_PRI,))
            self.on = False
            await cpu.wait("the WQ's page requests are answered", lambda: self.pri.answered, reads=(DEVICE_PRI,))
        elif command == ENABLE_WQ:
            await cpu.access("WQ on", writes=(DEVICE_PRI,))
            self.on = True
        else:
            await cpu.access("WQ reset", writes=(DEVICE_PRI,))
            self.forget_tags(cpu)

    def forget_tags(self, cpu: Cpu) -> None:
        """Within the step of the reset: no group is open any more, as far as the device knows."""
        forgotten = self.pri.outstanding
        self.on = False
        self.life += 1
        self.pri.reset()
        self.pri.enable()
        for job in self.by_prgi.values():
            job.open = False
        self.by_prgi.clear()
        cpu.emit(FunctionReset(life=self.life, forgotten=forgotten, what="WQ reset"))
