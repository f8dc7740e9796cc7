"""The VT-d unit as actors that work at the same time: link, non-posted requests, and the invalidation queue.

Each is a thin shell: formats and rules are in `hw.vtd`, one step here is one step there.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr, Resource, StreamId, VirtAddr
from hw.events.link import FRAMES, Translated, pasid_resource
from hw.memory import owner_name
from hw.pcie.tlp import (
    NO_PASID,
    Dma,
    DmaCompletion,
    InvalidateCompletion,
    PageRequest,
    TranslationRequest,
)
from hw.vtd.events import AccessAborted, DmaRead, FaultRecorded
from hw.vtd.faults import FaultLog, FaultRecord
from hw.vtd.prq import Prq, Queued
from hw.vtd.qi import InvalidationQueue
from hw.vtd.state import IN_FLIGHT, PAGE_REQUESTS, Vtd
from hw.vtd.translate import (
    AccessAnswer,
    Answer,
    page_request,
    translate_request,
    translated_access,
    untranslated_access,
)

from ..doorbell import Doorbell
from ..iommu_units import Arrive, IommuUnits
from .queue_unit import QueueUnit


@dataclass(slots=True, kw_only=True)
class VtdUnits(IommuUnits):
    """The units and what they share."""

    vtd: Vtd
    prq: Prq
    prq_irq: Interrupt
    fault_log: FaultLog
    fault_irq: Interrupt
    invalidations: InvalidationQueue
    doorbell: Doorbell
    invalidation_irq: Interrupt
    time_outs: bool = False
    """Some device may never answer an invalidation."""
    late_responses: bool = False
    """Whether somebody asks if a response leaves before or after the end of unbind."""
    queue: QueueUnit = field(init=False)
    queue_name = "PRQ"

    def __post_init__(self) -> None:
        """The queue sends through this unit."""
        self.queue = QueueUnit(
            units=self,
            queue=self.invalidations,
            doorbell=self.doorbell,
            completion_irq=self.invalidation_irq,
            fault_irq=self.fault_irq,
            time_outs=self.time_outs,
            late_responses=self.late_responses,
        )

    def add(self, world: World, *, ats: bool = True) -> None:
        """The units as actors; without `ats` nothing answers non-posted requests."""
        world.add_actor("vtd.link", self.link, daemon=True, hardware=True)
        if ats:
            world.add_actor("vtd.requests", self.requests, daemon=True, hardware=True)
        world.add_actor("vtd.queue", self.queue.run, daemon=True, hardware=True)
        world.at_end(self.forget)

    def forget(self) -> None:
        """The queue sends through this unit, and is a part of it."""
        del self.queue

    async def link(self, cpu: Cpu) -> None:
        """Posted requests from the device, in order: each is through before the next one is looked at."""
        while True:
            match await self.upstream.receive_posted(cpu):
                case PageRequest() as request:
                    await self.page_request(cpu, request)
                case Dma() as dma:
                    await self.write(cpu, dma, self.upstream.deliver)
                case InvalidateCompletion() as completion:
                    await self.queue.completion(cpu, completion)
                case unexpected:
                    raise TypeError(f"VT-d cannot take {unexpected}")

    async def page_request(self, cpu: Cpu, request: PageRequest) -> None:
        """Check its PASID entry, then queue or refuse it: entry, PQT, PRS, edge in one step (vtd-pcie §2.2, §2.3)."""
        world, prq = self.world, self.prq
        await self.arrived()
        answer = await page_request(cpu, self.vtd, request)
        if answer.record is not None:
            await self.record(cpu, answer.record)
        if answer.refusal is not None:
            await self.settle("page request is refused", 0, world.mask(PAGE_REQUESTS))
            self.vtd.finish(answer.transaction)
            refused = prq.refuse(request, answer.refusal)
            reason = answer.denial.reason.name if answer.denial is not None else ""
            await self.refused(cpu, request, self.upstream.posted.received, refused.response, reason)
            return
        reads, writes = prq.footprint()
        footprint = world.session.footprint
        await self.settle(
            f"queue {'Stop Marker' if request.is_stop_marker else 'PPR'} in the PRQ",
            footprint(reads) | world.mask(pasid_resource(request.pasid)),
            footprint((*writes, self.prq_irq.resource, PAGE_REQUESTS)),
        )
        self.vtd.finish(answer.transaction)
        ordinal = self.upstream.posted.received
        outcome = prq.accept(request)
        if outcome.interrupt:
            self.prq_irq.raise_now()
        if isinstance(outcome, Queued):
            self.queued(cpu, request, ordinal)
        else:
            await self.refused(cpu, request, ordinal, outcome.response)

    async def untranslated_write(self, cpu: Cpu, dma: Dma, arrive: Arrive) -> None:
        """Handle it as any write."""
        await self.write(cpu, dma, arrive)

    async def write(self, cpu: Cpu, dma: Dma, arrive: Arrive) -> None:
        """A posted write, translated or not; what it becomes is its arrival."""
        mask = self.world.mask
        answer = await self.decide(cpu, dma)
        if answer.address is None:
            writes = self.world.session.footprint(self.refusal_footprint(answer))
            await arrive("DMA write is dropped", 0, writes)
            self.aborted(cpu, dma, answer)
            return
        word = PhysAddr(answer.address & -8)
        writes = self.world.session.footprint((("word", word), *self.leaves(answer)))
        await arrive(f"DMA write to {word:#x}", mask(FRAMES), writes)
        self.vtd.finish(answer.transaction)
        self.landed(cpu, dma, word)

    async def requests(self, cpu: Cpu) -> None:
        """Non-posted requests, one after the other: Translation Requests and reads."""
        while True:
            match await self.upstream.receive_ordered(cpu, "non-posted", "take non-posted request"):
                case TranslationRequest() as request:
                    await self.translate(cpu, request)
                case Dma() as dma:
                    await self.read(cpu, dma)
                case unexpected:
                    raise TypeError(f"VT-d cannot take {unexpected}")

    async def translate(self, cpu: Cpu, request: TranslationRequest) -> None:
        """A Translation Request and its completion."""
        answer = await translate_request(cpu, self.vtd, request)
        if answer.record is not None:
            await self.record(cpu, answer.record)
        completion = answer.completion
        leaves = self.world.session.footprint(self.leaves(answer))
        await self.downstream.send_ordered("completion", completion, "send Translation Completion", leaves)
        self.vtd.finish(answer.transaction)
        cpu.emit(
            Translated(
                pasid=request.pasid,
                address=request.address,
                page=completion.page if completion.read or completion.write else 0,
                status=completion.status,
            )
        )

    async def read(self, cpu: Cpu, dma: Dma) -> None:
        """A read with its completion: data, or UR."""
        answer = await self.decide(cpu, dma)
        if answer.address is None:
            await cpu.access("DMA read is refused", writes=self.refusal_footprint(answer))
            self.aborted(cpu, dma, answer)
            await self._complete(cpu, dma, ok=False, value=0)
            return
        memory, word = self.world.memory, PhysAddr(answer.address & -8)
        await cpu.access(f"DMA read of {word:#x}", reads=(FRAMES, ("word", word)), writes=self.leaves(answer))
        self.vtd.finish(answer.transaction)
        owner = owner_name(memory.owner_of(word))
        cpu.emit(DmaRead(pasid=dma.pasid, page=word, owner=owner, meant_for=self.meant_for, tag=dma.tag))
        await self._complete(cpu, dma, ok=True, value=memory.read(word))

    async def decide(self, cpu: Cpu, dma: Dma) -> AccessAnswer:
        """Where a DMA goes, by AT."""
        if dma.translated:
            return await translated_access(
                cpu, self.vtd, sid=dma.sid, pasid=dma.pasid, address=PhysAddr(dma.address), write=dma.write
            )
        return await untranslated_access(
            cpu, self.vtd, sid=dma.sid, pasid=dma.pasid, address=VirtAddr(dma.address), write=dma.write
        )

    def refusal_footprint(self, answer: AccessAnswer) -> tuple[object, ...]:
        """What the step writes in which a DMA is refused: it leaves, and its fault is recorded unless FPD stood."""
        recorded = () if answer.record is None else (*self.fault_log.footprint(), self.fault_irq.resource)
        return (*self.leaves(answer), *recorded)

    def aborted(self, cpu: Cpu, dma: Dma, answer: AccessAnswer) -> None:
        """Within that step."""
        self.vtd.finish(answer.transaction)
        assert answer.denial is not None
        logged = answer.record is not None and self.log_now(cpu, answer.record)
        cpu.emit(
            AccessAborted(
                pasid=dma.pasid,
                address=dma.address,
                tag=dma.tag,
                write=dma.write,
                reason=answer.denial.reason.name,
                silent=answer.record is None,
                logged=logged,
            )
        )

    async def time_out(self, cpu: Cpu, sid: StreamId, itag: int) -> int:
        """A device-TLB invalidation is given up."""
        pending = self.invalidations.waiting_for(sid, itag)
        assert pending is not None
        await self.queue.time_out(cpu, pending)
        return pending.number

    async def record(self, cpu: Cpu, record: FaultRecord) -> None:
        """Record the fault of a request that is answered by itself."""
        await cpu.access(
            f"record fault {record.reason.name}", writes=(*self.fault_log.footprint(), self.fault_irq.resource)
        )
        self.log_now(cpu, record)

    def log_now(self, cpu: Cpu, record: FaultRecord) -> bool:
        """Within a step that declared the fault log: whether a register took it."""
        report = self.fault_log.report(record)
        if report.interrupt:
            self.fault_irq.raise_now()
        cpu.emit(
            FaultRecorded(
                pasid=NO_PASID if record.pasid is None else record.pasid,
                reason=record.reason.name,
                kind=record.kind.name,
                index=report.index,
            )
        )
        return report.index >= 0

    def leaves(self, answer: Answer | AccessAnswer) -> tuple[Resource, ...]:
        """What the step writes that ends a request: IN_FLIGHT, if an invalidation may wait for that."""
        return (IN_FLIGHT,) if answer.transaction in self.vtd.in_flight else ()

    async def _complete(self, cpu: Cpu, dma: Dma, *, ok: bool, value: int) -> None:
        completion = DmaCompletion(sid=dma.sid, tag=dma.tag, ok=ok, value=value)
        await self.downstream.send_ordered("completion", completion, f"send read completion{'' if ok else ' (UR)'}")
