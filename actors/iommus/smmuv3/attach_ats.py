"""The SMMU of attach worlds with an endpoint that has an ATC: Translation Requests, writes of both kinds, and answers
to ATC_INV, over one link."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.world import Cpu, World
from drivers.events.attach import attached_resource
from hw.bus import PhysAddr, VirtAddr
from hw.events.link import FRAMES, DmaLanded, Translated
from hw.memory import owner_name
from hw.pcie.events import WriteDropped
from hw.pcie.tlp import Dma, InvalidateCompletion, TranslationRequest
from hw.smmuv3.state import Transaction
from hw.smmuv3.translate import Disposition, translate_request, untranslated_access

from .attach_units import AttachUnits


@dataclass(slots=True, kw_only=True)
class AtsUnits(AttachUnits):
    """Link and ATS beside the command queue."""

    allowed: Callable[[], Sequence[str]] = tuple
    """Ghost: whose pages the endpoint may reach now."""

    def add(self, world: World, *, ats: bool = True) -> None:
        """The units as actors."""
        world.add_actor("smmu.link", self.link, daemon=True, hardware=True)
        world.add_actor("smmu.ats", self.ats, daemon=True, hardware=True)
        AttachUnits.add(self, world)

    async def link(self, cpu: Cpu) -> None:
        """Posted requests from the endpoint, in order."""
        while True:
            match await self.upstream.receive_posted(cpu):
                case Dma(translated=True) as dma:
                    await self.land(cpu, dma, PhysAddr(dma.address))
                case Dma() as dma:
                    await self.untranslated(cpu, dma)
                case InvalidateCompletion(itag=itag):
                    await self.completed(itag)
                case unexpected:
                    raise TypeError(f"SMMU cannot take {unexpected}")

    async def land(self, cpu: Cpu, dma: Dma, where: PhysAddr, gives: int = 0) -> None:
        """The step in which a write reaches memory."""
        mask = self.world.mask
        reads = mask(FRAMES) | mask(attached_resource(dma.sid))
        await self.upstream.deliver(f"DMA write to {where:#x}", reads, mask(("word", where)), gives)
        memory, allowed = self.world.memory, self.allowed()
        memory.write(where, dma.value)
        owner = owner_name(memory.owner_of(where))
        meant = owner if owner in allowed else allowed[0]
        cpu.emit(DmaLanded(pasid=dma.pasid, page=where, owner=owner, meant_for=meant))

    async def untranslated(self, cpu: Cpu, dma: Dma) -> None:
        """A write by virtual address: configuration, TLB, walk, then memory, or nothing."""
        answer = await untranslated_access(
            cpu,
            self.smmu,
            sid=dma.sid,
            pasid=dma.pasid,
            address=VirtAddr(dma.address),
            write=True,
            ordinal=dma.tag,
        )
        gives = self.end_of(dma.sid, dma.tag)
        if answer.disposition is Disposition.PROCEED:
            await self.land(cpu, dma, answer.address, gives)
        else:
            await self.upstream.deliver("untranslated DMA is dropped", gives=gives)
            cpu.emit(WriteDropped(pasid=dma.pasid, address=dma.address))
        self.ended_now(answer.transaction)

    async def ats(self, cpu: Cpu) -> None:
        """Translation requests: configuration, TLB, walk, completion."""
        while True:
            request: TranslationRequest = await self.upstream.receive_ordered(
                cpu, "non-posted", "take Translation Request"
            )
            answer = await translate_request(cpu, self.smmu, request)
            pending: Transaction | None = answer.transaction
            completion = answer.completion
            gives = 0 if pending is None else self.end_of(pending.sid, pending.ordinal)
            await self.downstream.send_ordered("completion", completion, "send Translation Completion", gives=gives)
            if pending is not None:
                self.ended_now(pending)
            page = completion.page if completion.read or completion.write else 0
            cpu.emit(Translated(pasid=request.pasid, address=request.address, page=page, status=completion.status))
