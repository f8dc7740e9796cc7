"""A function that can be reset: FLR makes it forget its ATC, its credits and its open groups (vtd-pcie §1.6).

It sends one page request in each of its lives. What it would do with the page is not modelled; a write through its ATC,
in its first life, is made by `atc_writer`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from drivers.cpu import Cpu as KernelCpu
from hw.bus import Resource
from hw.events.link import DEVICE_LIFE, DEVICE_PRI
from hw.pcie.events import FunctionReset, InvalidationMetReset, PriSwitched
from hw.pcie.tlp import (
    ConfigRegister,
    ConfigurationWrite,
    InvalidateRequest,
    PageRequest,
    request_to_write,
)

from ..iommus.invalidation_timer import IGNORED
from ..runtime.world import Cpu
from .configurable import ConfigurableFunction
from .device import ATC, Device
from .job import Job

IN_RESET: Resource = ("device", "in reset")


@dataclass(slots=True, kw_only=True)
class ResettableFunction(ConfigurableFunction):
    """Answers invalidations even in reset (Raj, 2020), and counts its lives from 0."""

    life: int = 0
    in_reset: bool = False
    ignored: list[int] = field(default_factory=list)
    """ITags of invalidations that will never be answered."""

    async def engine(self, cpu: Cpu) -> None:
        """Job n belongs to life n."""
        for job in self.jobs:
            if await self.asked(cpu, job):
                await cpu.wait(
                    f"response for group {job.prgi}, or reset",
                    lambda job=job: job.reaction is not None or not job.open,  # type: ignore[misc]
                    reads=(DEVICE_PRI,),
                )

    async def asked(self, cpu: Cpu, job: Job) -> bool:
        """Send the page request of one life when PRI is on; False if the life is over before that."""
        mask = self.world.mask
        while True:
            await cpu.wait(
                f"PRI on in life {job.number}", lambda: self.over(job) or self.may_ask(job), reads=(DEVICE_PRI,)
            )
            if self.over(job):
                return False
            prgi = self.pri.next_prgi()
            message = request_to_write(self.sid, self.pasid, job.pages[0], prgi, last=True)
            ordinal = await self.upstream.send_posted(
                message, "send PPR", mask(DEVICE_LIFE), mask(DEVICE_PRI), only_if=lambda: self.may_ask(job)
            )
            if ordinal:
                self.opened(cpu, job, message, ordinal)
                return True

    def works(self) -> bool:
        """Only in its first life: a reset makes it forget what it was to write."""
        return self.life == 0

    def over(self, job: Job) -> bool:
        """The life that the job belongs to has ended."""
        return self.life > job.number

    def may_ask(self, job: Job) -> bool:
        """It is this job's life, PRI is on, and a credit is left."""
        return self.life == job.number and self.pri.can_send

    def opened(self, cpu: Cpu, job: Job, message: PageRequest, ordinal: int) -> None:
        """Within the step that sent the page request."""
        job.prgi = self.pri.open_group(self.pasid)
        job.open = True
        self.by_prgi[job.prgi] = job
        self.pri.send(job.prgi, last=True)
        self.requests_sent += 1
        cpu.emit(self.request_sent(ordinal, job, message))

    async def written(self, cpu: Cpu, write: ConfigurationWrite) -> None:
        """What a configuration write sets off."""
        if write.register is ConfigRegister.INITIATE_FLR:
            await self.reset(cpu)
        else:
            await self.switch(cpu, enabled=bool(write.value))

    async def switch(self, cpu: Cpu, *, enabled: bool) -> None:
        """PRI Control.Enable."""
        await cpu.access(f"PRI Control.Enable = {int(enabled)}", writes=(DEVICE_PRI,))
        if enabled:
            self.pri.enable()
        else:
            self.pri.disable()
        cpu.emit(PriSwitched(enabled=enabled))

    async def reset(self, cpu: Cpu) -> None:
        """FLR takes a while; its completion stands for the host's wait until it is over."""
        await cpu.access("FLR begins", writes=(DEVICE_PRI, ATC, IN_RESET))
        forgotten = self.pri.outstanding
        self.life += 1
        self.in_reset = True
        self.pri.reset()
        self.atc.flush()
        for job in self.by_prgi.values():
            job.open = False
        self.by_prgi.clear()
        cpu.emit(FunctionReset(life=self.life, forgotten=forgotten))
        await cpu.access("FLR ends", writes=(IN_RESET,))
        self.in_reset = False

    async def acknowledge(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """Answer, unless the function is in reset and does not."""
        await cpu.access("in reset?", reads=(IN_RESET,))
        if self.in_reset:
            ignored = await self.ignores(cpu)
            cpu.emit(InvalidationMetReset(itag=request.itag, answered=not ignored))
            if ignored:
                await cpu.access("Invalidate Request is ignored", writes=(IGNORED,))
                self.ignored.append(request.itag)
                return
        await Device.acknowledge(self, cpu, request)

    async def ignores(self, cpu: Cpu) -> bool:
        """Never."""
        return False

    async def stopped(self, cpu: KernelCpu) -> None:
        """Its PRI Enable is a bit of its own, not the word that the other devices poll."""
        await cpu.wait("PRI Status.Stopped", lambda: self.pri.stopped, reads=(DEVICE_PRI,))


class IgnoresInReset(ResettableFunction):
    """May ignore an Invalidate Request while it resets (Chen, 2025, citing PCIe 6.0 10.3.1)."""

    async def ignores(self, cpu: Cpu) -> bool:
        """Hardware's choice."""
        return bool(await cpu.choose("Invalidate Request in reset: answer it, or ignore it", 2))


IN_FLR: dict[str, type[ResettableFunction]] = {"answered": ResettableFunction, "ignored": IgnoresInReset}
