"""A platform device whose DMA may stall: untranslated writes on the bus, each with its answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.kernel.endpoint import STOP, STOPPED, Endpoint
from hw.bus import Pasid, StreamId, VirtAddr
from hw.events.link import DEVICE_LIFE, DeviceStopped
from hw.pcie.tlp import Dma, DmaCompletion

from ..runtime.primitives.ports import Port
from ..runtime.world import Cpu, World


@dataclass(slots=True)
class BusMaster:
    """It has no page request to settle: a stalled access is simply not answered yet."""

    world: World
    endpoint: Endpoint
    bus: Port
    answers: Port
    pages: Sequence[VirtAddr]
    sid: StreamId
    pasid: Pasid
    outstanding: int = 1
    """How many writes it begins before it waits for an answer."""
    aborted: int = 0

    async def engine(self, cpu: Cpu) -> None:
        """Its writes, then the stop when the host asks for it."""
        for number, page in enumerate(self.pages):
            if number >= self.outstanding:
                await self.answer(cpu)
            await self.write(cpu, number, page)
        for _ in range(min(self.outstanding, len(self.pages))):
            await self.answer(cpu)
        await cpu.poll(self.endpoint.control, lambda control: control == STOP, "device CONTROL = STOP")
        await self.report(cpu)

    async def write(self, cpu: Cpu, number: int, page: VirtAddr) -> None:
        """One access."""
        access = Dma(
            sid=self.sid, pasid=self.pasid, address=page, write=True, translated=False, tag=number, value=number + 1
        )
        await cpu.send(self.bus, access)

    async def answer(self, cpu: Cpu) -> None:
        """The end of one access, whichever it is."""
        answer: DmaCompletion = await cpu.receive(self.answers)
        self.aborted += not answer.ok

    async def report(self, cpu: Cpu) -> None:
        """STATUS = STOPPED: nothing is outstanding."""
        status = self.endpoint.status
        await cpu.access("device STATUS = STOPPED", writes=(("word", status), DEVICE_LIFE))
        self.world.memory.write(status, STOPPED)
        cpu.emit(DeviceStopped(pasid=self.pasid, style="bus", open_groups=0))

    async def begun(self, cpu: Cpu) -> None:
        """One step of whoever waits until the first access is on the bus."""
        await cpu.wait("the device's first DMA", lambda: self.bus.sent > 0, reads=(("port", self.bus.name, "tail"),))
