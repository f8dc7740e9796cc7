"""The SMMU as units that work at the same time: link, ATS, and the command queue of `command_units`.

Each is a thin shell: formats and rules are in `hw.smmuv3`, one step here is one step there.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr, VirtAddr
from hw.events.link import FRAMES, Translated, pasid_resource
from hw.memory import WORD_BYTES
from hw.pcie.events import WriteDropped
from hw.pcie.tlp import (
    NO_PASID,
    Dma,
    InvalidateCompletion,
    PageRequest,
    PrgResponse,
    TranslationRequest,
)
from hw.smmuv3.config import entry_in_memory
from hw.smmuv3.priq import AsksEntry, AutoResponse, Priq, entry_of
from hw.smmuv3.queues import Accepted
from hw.smmuv3.registers import PRIQEN, SMMUEN
from hw.smmuv3.state import IN_FLIGHT
from hw.smmuv3.ste import Ste
from hw.smmuv3.translate import (
    AccessAnswer,
    Disposition,
    translate_request,
    translated_access,
    untranslated_access,
)

from ..iommu_units import Arrive, IommuUnits
from .command_units import CommandUnits
from .event_unit import EventUnit

_TAKES_PAGE_REQUESTS = SMMUEN.mask | PRIQEN.mask


@dataclass(slots=True, kw_only=True)
class SmmuUnits(CommandUnits, IommuUnits):
    """The units and what they share."""

    queue_name = "PRIQ"

    priq: Priq
    pri_irq: Interrupt
    events: EventUnit

    def add(self, world: World, *, ats: bool = True) -> None:
        """The units as actors; without `ats` nothing answers translation requests."""
        world.add_actor("smmu.link", self.link, daemon=True, hardware=True)
        if ats:
            world.add_actor("smmu.ats", self.ats, daemon=True, hardware=True)
        world.add_actor("smmu.cmdq", self.command_queue, daemon=True, hardware=True)

    async def link(self, cpu: Cpu) -> None:
        """Posted requests from the device, in order."""
        mask = self.world.mask
        while True:
            match await self.upstream.receive_posted(cpu):
                case PageRequest() as request:
                    await self.page_request(cpu, request)
                case Dma() as dma if self.smmu.atschk:
                    await self.checked_write(cpu, dma)
                case Dma() as dma:
                    await self.upstream.deliver(
                        f"DMA write to {dma.address:#x}", mask(FRAMES), mask(("word", dma.address))
                    )
                    self.landed(cpu, dma, PhysAddr(dma.address))
                case InvalidateCompletion(itag=itag):
                    await self.completed(itag)
                case unexpected:
                    raise TypeError(f"SMMU cannot take {unexpected}")

    async def checked_write(self, cpu: Cpu, dma: Dma) -> None:
        """CR0.ATSCHK: the STE says whether a translated address is to be believed (smmuv3 §2.2)."""
        where = PhysAddr(dma.address)
        answer = await translated_access(cpu, self.smmu, sid=dma.sid, pasid=dma.pasid, address=where, write=True)
        await self._end(cpu, dma, answer, self.upstream.deliver)

    async def untranslated_write(self, cpu: Cpu, dma: Dma, arrive: Arrive) -> None:
        """Configuration, TLB, walk, then the write or its end; the stream is PCIe, so nothing stalls (smmuv3 §2.1)."""
        where = VirtAddr(dma.address)
        answer = await untranslated_access(cpu, self.smmu, sid=dma.sid, pasid=dma.pasid, address=where, write=True)
        await self._end(cpu, dma, answer, arrive)

    async def _end(self, cpu: Cpu, dma: Dma, answer: AccessAnswer, arrive: Arrive) -> None:
        """What becomes of a write."""
        mask, where = self.world.mask, answer.address
        if answer.disposition is Disposition.PROCEED:
            await arrive(f"DMA write to {where:#x}", mask(FRAMES), mask(("word", where)) | mask(IN_FLIGHT))
            self.landed(cpu, dma, where)
        else:
            if answer.event is not None:
                await self.events.record(cpu, answer.event)
            await arrive(f"{'' if dma.translated else 'un'}translated DMA is dropped", 0, mask(IN_FLIGHT))
            cpu.emit(WriteDropped(pasid=dma.pasid, address=dma.address))
        self.smmu.finish(answer.transaction)

    async def page_request(self, cpu: Cpu, request: PageRequest) -> None:
        """Queue a PPR, or refuse it: entry, PROD and interrupt edge in one step (smmuv3 §1.6, §1.8)."""
        world, priq = self.world, self.priq
        mask = world.mask
        slot = priq.ring.slot(self.accepted)  # PROD, which nobody else moves
        touched = (mask(("word", address)) for address in (slot, PhysAddr(slot + WORD_BYTES), priq.prod_register))
        writes = mask(self.pri_irq.resource)
        for bit in touched:
            writes |= bit
        cr0 = self.smmu.registers.CR0
        reads = mask(("word", priq.cons_register)) | mask(("word", cr0)) | mask(pasid_resource(request.pasid))
        what = f"queue {'Stop Marker' if request.is_stop_marker else 'PPR'} in the PRIQ"
        await self.arrived()
        await self.settle(what, reads, writes)
        ordinal = self.upstream.posted.received
        enabled = world.memory.read(cr0) & _TAKES_PAGE_REQUESTS == _TAKES_PAGE_REQUESTS
        answer = priq.accept(entry_of(request), enabled=enabled)
        if isinstance(answer, Accepted):
            if answer.was_empty:
                self.pri_irq.raise_now()
            self.queued(cpu, request, ordinal)
            return
        expected = answer.answer(ppar=False) if isinstance(answer, AsksEntry) else answer
        code = expected.code if isinstance(expected, AutoResponse) else -1
        self.report_refused(cpu, request, ordinal, code, "overflow" if enabled else "disabled")
        if isinstance(answer, AsksEntry):
            ste = await entry_in_memory(cpu, self.smmu, request.sid)
            answer = answer.answer(ste.ppar if isinstance(ste, Ste) else None)
        if isinstance(answer, AutoResponse):
            pasid = request.pasid if answer.with_pasid else NO_PASID
            response = PrgResponse(sid=request.sid, pasid=pasid, prgi=request.prgi, code=answer.code)
            await self.respond(cpu, response, command=-1, automatic_for=ordinal)

    async def ats(self, cpu: Cpu) -> None:
        """Translation requests: configuration, TLB, walk, completion."""
        in_flight = self.world.mask(IN_FLIGHT)
        while True:
            request: TranslationRequest = await self.upstream.receive_ordered(
                cpu, "non-posted", "take Translation Request"
            )
            answer = await translate_request(cpu, self.smmu, request)
            if answer.event is not None:
                await self.events.record(cpu, answer.event)
            completion = answer.completion
            await self.downstream.send_ordered("completion", completion, "send Translation Completion", in_flight)
            if answer.transaction is not None:
                self.smmu.finish(answer.transaction)
            cpu.emit(
                Translated(
                    pasid=request.pasid,
                    address=request.address,
                    page=completion.page if completion.read or completion.write else 0,
                    status=completion.status,
                )
            )
