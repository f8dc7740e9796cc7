"""Endpoints that send virtual addresses (AT=00) until they are told to stop; broken ones go on all the same."""

from __future__ import annotations

from dataclasses import dataclass

from hw.events.link import pasid_resource
from hw.pcie.events import DeviceError, DeviceErrorSeen, UntranslatedSent
from hw.pcie.tlp import Dma, DmaCompletion

from ..runtime.world import Cpu
from .device import Device
from .job import Job
from .stoppable_loop import StoppableLoop


@dataclass(slots=True, kw_only=True)
class Writer(StoppableLoop):
    """It sends posted writes: nobody answers them, and a stop pushes them to the host."""

    rogue: int = 0
    """BUG, if not 0: so many accesses after it said that it stopped."""

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """Sent is written, as far as this device can know."""
        for page in job.pages:
            await self.issue(cpu, page, job.number)
        return True

    async def stop(self, cpu: Cpu) -> None:
        """Then what a broken device does."""
        await Device.stop(self, cpu)
        for number in range(self.rogue):
            await self.issue(cpu, self.jobs[0].pages[0], len(self.jobs) + number)

    async def issue(self, cpu: Cpu, page: int, tag: int) -> None:
        """One write."""
        await self.upstream.send_posted(
            self.message(page, tag, write=True), "send untranslated write", self.world.mask(pasid_resource(self.pasid))
        )
        self.sent(cpu, page, tag)

    def message(self, page: int, tag: int, *, write: bool) -> Dma:
        """An untranslated access."""
        return Dma(sid=self.sid, pasid=self.pasid, address=page, write=write, translated=False, tag=tag, value=tag + 1)

    def sent(self, cpu: Cpu, page: int, tag: int) -> None:
        """Within the step that sends."""
        cpu.emit(UntranslatedSent(pasid=self.pasid, address=page, tag=tag, target=self.host))


class Reader(Writer):
    """It sends reads: each has its completion, which says UR where the host refused it."""

    async def issue(self, cpu: Cpu, page: int, tag: int) -> None:
        """One read and its completion."""
        owner = (pasid_resource(self.pasid),)
        await cpu.access("begin untranslated read", reads=owner)
        self.sent(cpu, page, tag)
        await self.upstream.send_ordered("non-posted", self.message(page, tag, write=False), "send untranslated read")
        completion: DmaCompletion = await self.downstream.receive_ordered(cpu, "completion", "take read completion")
        assert completion.tag == tag
        if not completion.ok:
            cpu.emit(DeviceErrorSeen(pasid=self.pasid, error=DeviceError.READ_REFUSED))
