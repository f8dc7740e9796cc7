"""The invalidation queue unit of VT-d: fetches in order, carries each descriptor out as an actor (vtd-pcie §2.4).

What may start or complete before what is in `hw.vtd.qi`; here are the steps, and who waits for whom.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.runtime.primitives.step import Step, perform
from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import Cpu
from hw.bus import Resource
from hw.events.link import pasid_resource
from hw.pcie.tlp import InvalidateCompletion, InvalidateRequest, PrgResponse
from hw.vtd.descriptors import DeviceTlbInvalidate, PageGroupResponse, WaitDescriptor
from hw.vtd.events import DescriptorDone, ItagTaken, QueueStopped
from hw.vtd.invalidation import DescriptorType, Iqei, type_of
from hw.vtd.qi import STARTS_AFTER, AccessStep, InvalidationQueue, Pending
from hw.vtd.registers import IQE, word_resource
from hw.vtd.state import PAGE_REQUESTS, resources_of

from ..doorbell import Doorbell
from ..iommu_units import IommuUnits

RUNNING: Resource = ("VT-d", "device-TLB invalidations under way")
"""How many there are: what one looks at whose device takes only so many."""
ABORTS: Resource = ("VT-d", "aborted waits")
"""Whether a time-out has ended the waits that were fetched."""

RESPONSES: Resource = ("VT-d", "responses inside")
"""Which page group responses have not left yet: a drain waits for them."""

Main = Callable[[Cpu], Coroutine[Any, Any, None]]


@dataclass(slots=True, kw_only=True)
class QueueUnit:
    """One unit's queue. `time_outs`: some device may never answer, so that everybody looks out for ITE."""

    units: IommuUnits
    queue: InvalidationQueue
    doorbell: Doorbell
    completion_irq: Interrupt
    fault_irq: Interrupt
    time_outs: bool = False
    late_responses: bool = False
    """Whether somebody asks if a response leaves before or after the end of unbind."""
    _ended: dict[DescriptorType, int] = field(default_factory=dict)
    """By type, the masks that the ends of all descriptors so far give."""

    async def run(self, cpu: Cpu) -> None:
        """Fetch what lies between head and tail; the next move of IQT is waited for when that is used up."""
        queue, ring = self.queue, self.queue.ring
        registers = queue.vtd.registers
        head = tail = self.units.world.memory.read(registers.IQH)
        unless_stopped = self._unless_stopped(cpu) if self.time_outs else None
        while True:
            if ring.empty(head, tail):
                tail = await self.doorbell.wait()
            found = await queue.fetch(cpu, head, tail, unless_stopped)
            if isinstance(found, Iqei):
                cpu.emit(QueueStopped(error=f"IQE {found.name}", aborted=0))
                await cpu.poll(registers.FSTS, lambda status: not status & IQE.mask, "IQE is cleared", idle=True)
                tail = head if found is Iqei.TAIL else tail
                continue
            head = ring.next(head)
            await cpu.spawn(f"vtd.descriptor{found.number}", self._main(found))
            if queue.fenced:
                await self._fence(found)

    def _unless_stopped(self, cpu: Cpu) -> AccessStep:
        """A step that is not taken while ITE stands, which a time-out sets at any time."""
        queue = self.queue
        status = word_resource(queue.vtd.registers.FSTS)

        async def access(what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
            await cpu.wait(what, lambda: not queue.stopped, reads=(status, *reads), writes=writes, idle=True)

        return access

    def _main(self, pending: Pending) -> Main:
        """What the actor of a descriptor does; a response is carried out now, and leaves when that actor sends it."""
        kind, takes = type_of(pending.descriptor), 0
        for earlier in STARTS_AFTER[kind]:
            takes |= self._ended.get(earlier, 0)
        self._ended[kind] = self._ended.get(kind, 0) | self.done(pending.number)
        match pending.descriptor:
            case PageGroupResponse():
                return self._response(pending)
            case DeviceTlbInvalidate():
                return self._device_tlb(pending, takes)
            case WaitDescriptor() as wait:
                return self._wait(pending, wait, takes)
            case _:
                return self._invalidation(pending, takes)

    def _response(self, pending: Pending) -> Main:
        message = self.queue.start(pending)
        self.queue.complete(pending)
        assert isinstance(message, PrgResponse)

        owner = self.units.world.mask(pasid_resource(message.pasid)) if self.late_responses else 0
        inside = self.units.world.mask(RESPONSES)

        async def carry_out(cpu: Cpu) -> None:
            await self.units.respond(cpu, message, command=pending.number, reads=owner, writes=inside)
            self.queue.left(pending)

        return carry_out

    def _invalidation(self, pending: Pending, takes: int) -> Main:
        """Drop what it names; complete once requests that had used it have left."""
        queue, world = self.queue, self.units.world
        footprint = world.session.footprint
        reads = footprint(queue.vtd.awaited(pending.descriptor))
        writes = footprint(resources_of(pending.descriptor, queue.vtd))

        async def carry_out(cpu: Cpu) -> None:
            step = self._start(pending, f"{_name(pending)}: caches", takes, reads, writes)
            await perform(step)
            queue.start(pending)
            if not queue.may_complete(pending):
                step = Step(
                    f"{_name(pending)}: old requests have left",
                    reads,
                    ready=lambda: queue.may_complete(pending),
                    blocked=lambda: f"requests inside that had used what {_name(pending)} takes away",
                )
                await perform(step)
            self._complete(cpu, pending, step)

        return carry_out

    def _device_tlb(self, pending: Pending, takes: int) -> Main:
        """Send it when a tag is free; its completion ends it."""
        queue, units = self.queue, self.units

        assert isinstance(pending.descriptor, DeviceTlbInvalidate)
        limited = (RUNNING,) if pending.descriptor.queue_depth else ()
        writes = units.world.session.footprint((itag_resource(queue.itag_for(pending)), *limited))

        async def carry_out(cpu: Cpu) -> None:
            await perform(self._start(pending, f"{_name(pending)}: ITag", takes, 0, writes))
            message = queue.start(pending)
            assert isinstance(message, InvalidateRequest)
            cpu.emit(ItagTaken(number=pending.number, sid=message.sid, itag=message.itag))
            await units.downstream.send_posted(message, "send Invalidate Request")

        return carry_out

    def _wait(self, pending: Pending, wait: WaitDescriptor, takes: int) -> Main:
        """Complete when all ahead is, or be aborted by a time-out; a drain waits on for what is still inside."""
        queue, world = self.queue, self.units.world
        drains = wait.drain and queue.pds
        reads = (*((PAGE_REQUESTS, RESPONSES) if drains else ()), *((ABORTS,) if self.time_outs else ()))
        says = (
            *queue.completion_footprint(pending),
            *((self.completion_irq.resource,) if wait.interrupt else ()),
        )
        mask, said = world.session.footprint(reads), world.session.footprint(says)

        async def carry_out(cpu: Cpu) -> None:
            step = self._start(pending, f"{_name(pending)}: all ahead is done", takes, mask, said)
            await perform(step)
            if pending.ended:
                step.takes = self.done(pending.number)  # by the time-out, whatever became of what is ahead
                return
            queue.start(pending)
            if not queue.may_complete(pending):
                step = Step(
                    f"{_name(pending)}: drained",
                    mask,
                    said,
                    ready=lambda: pending.ended or queue.may_complete(pending),
                    blocked=lambda: "page requests and responses that are still inside",
                )
                await perform(step)
            if not pending.ended:
                self._complete(cpu, pending, step)

        return carry_out

    def _start(self, pending: Pending, what: str, takes: int, reads: int, writes: int) -> Step:
        """The step in which a descriptor starts: those that it must not pass are complete."""
        queue = self.queue
        return Step(
            what,
            reads,
            writes,
            takes=takes,
            ready=lambda: pending.ended or queue.may_start(pending),
            blocked=lambda: f"{[_name(each) for each in queue.blockers(pending)]} ahead, or an ITag",
        )

    def _complete(self, cpu: Cpu, pending: Pending, step: Step) -> None:
        """Within `step`, which ends a descriptor."""
        if self.queue.complete(pending):
            self.completion_irq.raise_now()
        step.gives |= self.done(pending.number)
        cpu.emit(DescriptorDone(number=pending.number, text=_name(pending)))

    async def completion(self, cpu: Cpu, completion: InvalidateCompletion) -> None:
        """An Invalidate Completion arrives, behind all that its device had posted before.

        Where a time-out may come first, an error is recorded in a step of its own, so that nobody who looks at errors
        has to be ordered with a completion that makes none.
        """
        queue, world = self.queue, self.units.world
        sid, itag = completion.sid, completion.itag
        waiting = queue.waiting_for(sid, itag)
        gone = (itag_resource(itag), RUNNING)
        errors = (*queue.error_footprint(), self.fault_irq.resource)
        writes = gone if waiting or self.time_outs else (*gone, *errors)
        gives = self.done(waiting.number) if waiting else 0
        await self.units.upstream.deliver(
            "take Invalidate Completion", writes=world.session.footprint(writes), gives=gives
        )
        if self.time_outs and queue.waiting_for(sid, itag) is None:
            await cpu.access("record ICE", writes=errors)
            queue.nobody_waits(sid)
            cpu.emit(QueueStopped(error="ICE", aborted=0))
            return
        ended = queue.completed_by_device(sid, itag)
        if ended is None:
            cpu.emit(QueueStopped(error="ICE", aborted=0))
        else:
            cpu.emit(DescriptorDone(number=ended.number, text=_name(ended)))

    async def time_out(self, cpu: Cpu, pending: Pending) -> None:
        """Nobody answers a device-TLB invalidation: ITE, and every wait that was fetched is aborted."""
        queue = self.queue
        footprint = self.units.world.session.footprint
        assert pending.itag is not None
        gone = (itag_resource(pending.itag), RUNNING)
        fetched = (word_resource(queue.vtd.registers.IQH),)  # a fetch moves it, and only what was fetched is aborted
        step = Step(
            f"{_name(pending)} times out",
            footprint(fetched),
            footprint((*gone, ABORTS, *queue.error_footprint(), self.fault_irq.resource)),
        )
        await perform(step)
        aborted = queue.time_out(pending)
        for each in (pending, *aborted):
            step.gives |= self.done(each.number)
        cpu.emit(QueueStopped(error="ITE", aborted=len(aborted)))

    async def _fence(self, pending: Pending) -> None:
        """FN=1: nothing behind it starts before it is complete."""
        await perform(
            Step(
                f"{_name(pending)}: fence",
                takes=self.done(pending.number),
                ready=lambda: pending.ended,
                blocked=lambda: f"{_name(pending)}, a fence",
            )
        )

    def done(self, number: int) -> int:
        """The mask that the end of a descriptor gives."""
        return self.units.world.mask(("VT-d", "descriptor done", number))


def itag_resource(itag: int) -> Resource:
    """Who has a tag: taken by a device-TLB invalidation, given back by its completion."""
    return ("VT-d", "ITag", itag)


def _name(pending: Pending) -> str:
    """What people call a descriptor."""
    return f"{type_of(pending.descriptor).name.lower().replace('_', '-')} #{pending.number}"
