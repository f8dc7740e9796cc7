"""A function whose ATS the host switches on and off: it writes through its ATC, or without it, as ATS Enable says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from drivers.events.attach import AtsSwitched
from hw.bus import Resource, VirtAddr
from hw.events.link import AtcInvalidated
from hw.pcie.ats import AtcEntry, NoTranslation
from hw.pcie.events import DeviceError, DeviceErrorSeen
from hw.pcie.tlp import ConfigurationWrite, Dma, InvalidateRequest, TranslationCompletion, TranslationRequest

from ..iommus.invalidation_timer import IGNORED
from ..runtime.world import Cpu
from .configurable import ConfigurableFunction
from .device import ATC
from .job import Job

OUTDATED: Resource = ("device", "ATC", "outdated")
"""Which requests in flight an answered invalidation has outdated: of interest to their completions alone."""


@dataclass(slots=True, kw_only=True)
class AtsEndpoint(ConfigurableFunction):
    """Each job is one write; the function knows its pages to be there, and has no page requests."""

    answers: ClassVar[Resource] = OUTDATED

    name: str
    answers_when_off: bool = True
    """Whether it answers Invalidate Requests with ATS off, as PCIe wants it (SMMU-R21 doubts it)."""
    ignored: list[int] = field(default_factory=list)
    """ITags of invalidations that will never be answered."""

    async def engine(self, cpu: Cpu) -> None:
        """One job after the other."""
        for job in self.jobs:
            while not await self.attempt(cpu, job):
                pass

    async def attempt(self, cpu: Cpu, job: Job) -> bool:
        """By the ATC where ATS is on, else untranslated; False where what it was to use was taken away meanwhile."""
        page = job.pages[0]
        await cpu.access("ATC look-up", writes=(ATC,))
        if not self.atc.enabled:
            await self.write_untranslated(page, job)
            return True
        entry = self.atc.lookup(self.pasid, page)
        found = await self.ask(cpu, page) if entry is None else entry
        if isinstance(found, AtcEntry):
            return await self.dma(cpu, found, job)
        return found is not NoTranslation.STALE

    async def ask(self, cpu: Cpu, page: VirtAddr) -> AtcEntry | NoTranslation:
        """A Translation Request, begun in the step of the look-up, and its completion."""
        self.tag += 1
        self.atc.begin_request(self.tag, self.pasid, page)
        request = TranslationRequest(sid=self.sid, pasid=self.pasid, address=page, write=True, tag=self.tag)
        await self.upstream.send_ordered("non-posted", request, "send Translation Request")
        completion: TranslationCompletion = await self.downstream.receive_ordered(
            cpu, "completion", "take Translation Completion"
        )
        await cpu.access("ATC fill", reads=(OUTDATED,), writes=(ATC,))
        was_on = self.atc.enabled
        found = self.atc.complete(completion.tag, completion)
        if found is NoTranslation.UNSUPPORTED_REQUEST and was_on:  # else it was switched off while it waited
            cpu.emit(DeviceErrorSeen(pasid=self.pasid, error=DeviceError.UNSUPPORTED_REQUEST))
        return found

    async def dma(self, cpu: Cpu, entry: AtcEntry, job: Job) -> bool:
        """A translated write, unless the entry was invalidated or ATS switched off meanwhile."""

        def holds() -> bool:
            return self.atc.enabled and self.atc.lookup(self.pasid, entry.virtual_page) is not None

        return await self.post(cpu, entry, job, holds)

    async def write_untranslated(self, page: VirtAddr, job: Job) -> None:
        """A posted write with a virtual address: sent is written, as far as the function can know."""
        self.tag += 1
        write = Dma(
            sid=self.sid,
            pasid=self.pasid,
            address=page,
            write=True,
            translated=False,
            tag=self.tag,
            value=job.number + 1,
        )
        await self.upstream.send_posted(write, "send untranslated write")

    async def invalidate(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """Forget what the host names, and say so; with ATS off it may do neither."""
        mask = self.world.mask
        writes = mask(ATC) if self.answers_when_off else mask(ATC) | mask(IGNORED)
        await self.downstream.deliver("take Invalidate Request", writes=writes)
        if not (self.atc.enabled or self.answers_when_off):
            self.ignored.append(request.itag)
            return
        self.atc.invalidate(request)
        self.asked_before = self.tag
        cpu.emit(AtcInvalidated(pasid=request.pasid))
        await self.acknowledge(cpu, request)

    async def written(self, cpu: Cpu, write: ConfigurationWrite) -> None:
        """ATS Enable."""
        await cpu.access(f"ATS Enable = {write.value}", writes=(ATC,))
        if write.value:
            self.atc.enable()
        else:
            self.atc.disable()
        cpu.emit(AtsSwitched(who=self.name, on=bool(write.value)))
