"""Endpoints that work until they are told to stop: with ATS, and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.kernel.endpoint import STOP
from hw.pcie.ats import AtcEntry, NoTranslation

from ..iommus.untranslated import DONE, UntranslatedWrites
from ..runtime.world import Cpu
from .ats_loop import AtsLoop, untranslated_write
from .device import ATC, Device
from .job import Job


class StoppableLoop(AtsLoop):
    """Looks at CONTROL between two accesses, and stops as PCIe 6.20.1 demands (style A)."""

    async def engine(self, cpu: Cpu) -> None:
        """Work, until it is done, ATS is off (UR, vtd-pcie §1.2) or somebody says stop (nobody has to: a daemon)."""
        for job in self.jobs:
            if await self.told_to_stop(cpu) or self.refusal is NoTranslation.UNSUPPORTED_REQUEST:
                break
            await self.loop(cpu, job)
        await cpu.poll(self.endpoint.control, lambda control: control == STOP, "work is over", idle=True)
        await self.stop(cpu)

    async def told_to_stop(self, cpu: Cpu) -> bool:
        """One look."""
        await cpu.access("look at CONTROL", reads=(("word", self.endpoint.control),))
        return self.stop_requested()


@dataclass(slots=True, kw_only=True)
class CachedWriter(StoppableLoop):
    """It goes on writing through its own TLB after it said that it stopped, until an invalidation empties that."""

    late_writes = True
    rogue: int = 0
    """BUG, if not 0: so many writes, with each translation that it still had when it stopped."""
    kept: Sequence[AtcEntry] = ()

    async def forget(self, cpu: Cpu) -> None:
        """What it is going to use, it keeps."""
        if self.rogue:
            await cpu.access("keep the PASID's ATC entries", reads=(ATC,))
            self.kept = self.atc.entries()
        else:
            await StoppableLoop.forget(self, cpu)

    async def stop(self, cpu: Cpu) -> None:
        """Then what a broken device does."""
        await StoppableLoop.stop(self, cpu)
        for _ in range(self.rogue):
            for entry in self.kept:
                await self.dma(cpu, entry, self.jobs[0])


@dataclass(slots=True, kw_only=True)
class UntranslatedLoop(StoppableLoop):
    """A loop without ATS: it sends posted writes with virtual addresses, which nobody answers."""

    writes: UntranslatedWrites

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """Sent is written, as far as this device can know."""
        for page in job.pages:
            await cpu.send(self.writes.port, untranslated_write(self.sid, self.pasid, page, job.number))
        return True

    async def settle(self, cpu: Cpu) -> None:
        """And what is posted is pushed to the host."""
        await Device.settle(self, cpu)
        writes = self.writes
        await cpu.wait("every write has arrived", lambda: writes.done == writes.port.sent, reads=(DONE,))


LOOPS: dict[str, type[StoppableLoop]] = {"ats": StoppableLoop, "untranslated": UntranslatedLoop}
