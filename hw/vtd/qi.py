"""Queued invalidation at work (vtd-pcie §2.4): which descriptor may start or complete before which, ITags,
errors that stop the queue, and the device-TLB time-out that aborts every pending wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from hw.bus import Bus, PhysAddr, Resource, StreamId
from hw.memory import WORD_BYTES, BusError, Memory
from hw.pcie.tlp import InvalidateRequest, PrgResponse, ResponseCode
from hw.vtd.descriptors import Descriptor, DeviceTlbInvalidate, PageGroupResponse, WaitDescriptor
from hw.vtd.invalidation import DescriptorType, Iqei, decode, type_of
from hw.vtd.registers import (
    ICE,
    ICESID,
    IQE,
    IQEI,
    ITE,
    ITESID,
    IWC,
    raise_event,
    raise_fault_status,
    word_resource,
)
from hw.vtd.ring import ENTRY_WORDS, ByteRing
from hw.vtd.state import Transaction, Vtd, apply

ITAGS = 32
MOST_PER_DEVICE = 32
"""What a queue depth of 0 means."""

_CONFIGURATION = frozenset({DescriptorType.CONTEXT, DescriptorType.PASID_CACHE})
_TRANSLATIONS = frozenset({DescriptorType.IOTLB, DescriptorType.PASID_IOTLB, DescriptorType.INTERRUPT_ENTRY})
_NOTHING: frozenset[DescriptorType] = frozenset()

STARTS_AFTER: Mapping[DescriptorType, frozenset[DescriptorType]] = {
    DescriptorType.CONTEXT: _NOTHING,
    DescriptorType.PASID_CACHE: _NOTHING,
    DescriptorType.IOTLB: _CONFIGURATION,
    DescriptorType.PASID_IOTLB: _CONFIGURATION,
    DescriptorType.INTERRUPT_ENTRY: _NOTHING,
    DescriptorType.DEVICE_TLB: _TRANSLATIONS,
    DescriptorType.PASID_DEVICE_TLB: _TRANSLATIONS,
    DescriptorType.PAGE_GROUP_RESPONSE: _NOTHING,
    DescriptorType.WAIT: frozenset(DescriptorType),
}
"""All that hardware promises about order: a descriptor starts only when those ahead of it that have one of these types
are complete. Everything else may run at the same time and end in any order."""


class AccessStep(Protocol):
    """`Bus.access`, or a step that waits for something besides."""

    async def __call__(self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """Take the one step."""
        ...


class DescriptorProgress(Enum):
    """How far a descriptor has come."""

    FETCHED = "fetched"
    RUNNING = "running"
    COMPLETE = "complete"
    ABORTED = "aborted"


@dataclass(slots=True, kw_only=True, eq=False)
class Pending:
    """One descriptor from its fetch on; `number` counts the descriptors of a run, as a slot is used again."""

    number: int
    slot: int
    descriptor: Descriptor
    progress: DescriptorProgress = DescriptorProgress.FETCHED
    turn: int = 0
    """How many device-TLB invalidations were fetched before this one."""
    itag: int | None = None
    """The tag of a device-TLB invalidation that is on its way."""
    users: tuple[Transaction, ...] = ()
    """What must finish first: requests that use the translation, or page requests that a drain waits for."""
    responses: tuple[Pending, ...] = ()
    """Page group responses that a drain waits for."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.progress in (DescriptorProgress.COMPLETE, DescriptorProgress.ABORTED)


class InvalidationQueue:
    """The unit's side of the queue: plain state and rules, which an actor drives.

    `pds` is ECAP.PDS: without it PD of a wait is ignored, and a drain does not drain, or is a reserved bit
    (`pd_is_reserved`). Both were seen as possible when the kernel was fixed (race VTD-R25).
    """

    def __init__(
        self,
        vtd: Vtd,
        memory: Memory,
        ring: ByteRing,
        *,
        itags: int = ITAGS,
        pds: bool = True,
        pd_is_reserved: bool = False,
    ) -> None:
        """Attach to a ring; nothing is written."""
        if not 1 <= itags <= ITAGS:
            raise ValueError(f"{itags} ITags: allowed are 1..{ITAGS}")
        self.vtd = vtd
        self.memory = memory
        self.ring = ring
        self.itags = itags
        self.pds = pds
        self.pd_is_reserved = pd_is_reserved
        self.pending: list[Pending] = []
        self.leaving: list[Pending] = []
        """Page group responses that are executed but have not left yet; only a drain waits for them."""
        self._count = 0
        self._turns = 0

    @property
    def stopped(self) -> bool:
        """Whether the queue stands: hardware fetches nothing until software has cleared IQE and ITE."""
        return bool(self.memory.read(self.vtd.registers.FSTS) & (IQE.mask | ITE.mask))

    @property
    def fenced(self) -> bool:
        """A wait with FN=1 is pending: nothing behind it may start, hence nothing is fetched."""
        return any(isinstance(each.descriptor, WaitDescriptor) and each.descriptor.fence for each in self.pending)

    def error_footprint(self) -> tuple[Resource, ...]:
        """What a step writes in which an error may show: `fetch` names it by itself."""
        registers = self.vtd.registers
        return tuple(word_resource(word) for word in (registers.FSTS, registers.FECTL, registers.IQER))

    async def fetch(self, bus: Bus, head: int, tail: int, access: AccessStep | None = None) -> Pending | Iqei:
        """Take the descriptor at `head` and move IQH on, in one step; or stop the queue with IQE.

        `tail` is what software wrote to IQT; the caller has found that it differs from `head`. `access` is the step in
        which the slot is read, where that has to wait: nothing is fetched while the queue is stopped.
        """
        found: Descriptor | Iqei = Iqei.TAIL
        if self.ring.valid(tail):
            slot, iqh = self.ring.slot(head), self.vtd.registers.IQH
            words = [PhysAddr(slot + number * WORD_BYTES) for number in range(ENTRY_WORDS)]
            await (access or bus.access)(
                f"fetch IQ[{self.ring.index(head)}]", reads=[*map(word_resource, words)], writes=[word_resource(iqh)]
            )
            found = self._decode(words)
            if not isinstance(found, Iqei):
                self.memory.write(iqh, self.ring.next(head))
        if isinstance(found, Iqei):
            await bus.access(f"IQE: {found.name}", writes=self.error_footprint())
            self.memory.write(self.vtd.registers.IQER, IQEI.put(0, found))
            raise_fault_status(self.memory, self.vtd.registers, IQE.mask)
            return found
        pending = Pending(number=self._count, slot=self.ring.index(head), descriptor=found, turn=self._turns)
        self._count += 1
        self._turns += isinstance(found, DeviceTlbInvalidate)
        self.pending.append(pending)
        return pending

    def _decode(self, slot: Sequence[PhysAddr]) -> Descriptor | Iqei:
        """What the words of a slot say."""
        try:
            words = [self.memory.read(word) for word in slot]
        except BusError:
            return Iqei.FETCH
        found = decode((words[0], words[1], words[2], words[3]))
        if isinstance(found, WaitDescriptor) and found.drain and not self.pds and self.pd_is_reserved:
            return Iqei.RESERVED
        return found

    def blockers(self, pending: Pending) -> tuple[Pending, ...]:
        """What must be complete before a descriptor starts; before a wait starts, all that is ahead of it."""
        before = STARTS_AFTER[type_of(pending.descriptor)]
        number = pending.number
        return tuple([each for each in self.pending if each.number < number and type_of(each.descriptor) in before])

    def may_start(self, pending: Pending) -> bool:
        """The order rules allow it and, for a device-TLB invalidation, tag and device are free."""
        if pending.ended or self.blockers(pending):
            return False
        descriptor = pending.descriptor
        if not isinstance(descriptor, DeviceTlbInvalidate):
            return True
        same = [each for each in self.pending if each.itag is not None and _sid(each) == descriptor.sid]
        return self.is_free(self.itag_for(pending)) and len(same) < (descriptor.queue_depth or MOST_PER_DEVICE)

    def start(self, pending: Pending) -> InvalidateRequest | PrgResponse | None:
        """Carry a descriptor out as far as one step goes; what is returned has to be sent.

        An invalidation is complete when its `users` have finished, a device-TLB invalidation when its completion
        arrives, a wait when `may_complete` says so, a response at once; only a drain cares whether it has left.
        """
        if not self.may_start(pending):
            raise ValueError(f"start of {pending}: blocked by {self.blockers(pending)}, or no ITag is free")
        pending.progress = DescriptorProgress.RUNNING
        match pending.descriptor:
            case DeviceTlbInvalidate() as invalidate:
                pending.itag = self.itag_for(pending)
                return invalidate.message(pending.itag)
            case PageGroupResponse() as response:
                self.leaving.append(pending)
                return _message(response)
            case WaitDescriptor(drain=True) if self.pds:
                pending.users = self.vtd.page_requests
                pending.responses = tuple(each for each in self.leaving if each.number < pending.number)
            case WaitDescriptor():
                pass
            case invalidate:
                pending.users = apply(invalidate, self.vtd)
        return None

    def itag_for(self, pending: Pending) -> int:
        """The tag that a device-TLB invalidation will have: they take turns, and only who shares one has to wait."""
        return pending.turn % self.itags

    def is_free(self, itag: int) -> bool:
        """No invalidation under way has the tag: a completion names nothing else."""
        return all(each.itag != itag for each in self.pending)

    def left(self, pending: Pending) -> None:
        """A page group response is on the link."""
        self.leaving.remove(pending)

    def may_complete(self, pending: Pending) -> bool:
        """Whoever it waits for has gone; a device-TLB invalidation is completed by the device alone."""
        if pending.progress is not DescriptorProgress.RUNNING or pending.itag is not None:
            return False
        inside = any(each in self.vtd.in_flight for each in pending.users)
        return not inside and not any(each in self.leaving for each in pending.responses)

    def completion_footprint(self, pending: Pending) -> tuple[Resource, ...]:
        """What a step writes that calls `complete`."""
        words: list[PhysAddr] = []
        match pending.descriptor:
            case WaitDescriptor() as wait:
                if wait.status_write:
                    words.append(_word_of(wait.status_address))
                if wait.interrupt:
                    words += [self.vtd.registers.ICS, self.vtd.registers.IECTL]
            case _:
                pass
        return tuple(word_resource(word) for word in words)

    def complete(self, pending: Pending) -> bool:
        """A descriptor is complete; a wait says so as it was asked to. Whether the interrupt goes out."""
        if not self.may_complete(pending):
            raise ValueError(f"completion of {pending}: it is not running, or still has to wait")
        self._end(pending, DescriptorProgress.COMPLETE)
        match pending.descriptor:
            case WaitDescriptor() as wait:
                if wait.status_write:
                    self._write_status(wait)
                return wait.interrupt and self._interrupt()
            case _:
                return False

    def completed_by_device(self, sid: StreamId, itag: int) -> Pending | None:
        """An Invalidate Completion arrives. One that nobody waits for, as after a time-out, sets ICE."""
        waiting = self.waiting_for(sid, itag)
        if waiting is not None:
            self._end(waiting, DescriptorProgress.COMPLETE)
            return waiting
        self.nobody_waits(sid)
        return None

    def nobody_waits(self, sid: StreamId) -> None:
        """An Invalidate Completion of this device had a tag for which nobody waits: ICE."""
        registers = self.vtd.registers
        self.memory.write(registers.IQER, ICESID.put(self.memory.read(registers.IQER), sid))
        raise_fault_status(self.memory, registers, ICE.mask)

    def waiting_for(self, sid: StreamId, itag: int) -> Pending | None:
        """The invalidation that waits for this tag of this device."""
        return next((each for each in self.pending if each.itag == itag and _sid(each) == sid), None)

    def time_out(self, pending: Pending) -> tuple[Pending, ...]:
        """A device has not answered: ITE, and every wait that was fetched is aborted, whomever it was for."""
        if pending.itag is None:
            raise ValueError(f"time-out of {pending}: no device owes it an answer")
        registers = self.vtd.registers
        if not self.memory.read(registers.FSTS) & ITE.mask:
            self.memory.write(registers.IQER, ITESID.put(self.memory.read(registers.IQER), _sid(pending) or 0))
        aborted = tuple(each for each in self.pending if isinstance(each.descriptor, WaitDescriptor))
        for each in (pending, *aborted):
            self._end(each, DescriptorProgress.ABORTED)
        raise_fault_status(self.memory, registers, ITE.mask)
        return aborted

    def _end(self, pending: Pending, progress: DescriptorProgress) -> None:
        """Forget a descriptor; its ITag is free again."""
        pending.progress = progress
        pending.itag = None
        self.pending.remove(pending)

    def _write_status(self, wait: WaitDescriptor) -> None:
        """Write the 32-bit status; a posted write to where no memory is goes nowhere."""
        word = _word_of(wait.status_address)
        shift = (wait.status_address - word) * 8
        try:
            before = self.memory.read(word)
            self.memory.write(word, (before & ~(0xFFFF_FFFF << shift)) | wait.status_data << shift)
        except BusError:
            return

    def _interrupt(self) -> bool:
        """Set ICS.IWC: whether the invalidation completion interrupt goes out."""
        registers = self.vtd.registers
        before = self.memory.read(registers.ICS)
        self.memory.write(registers.ICS, before | IWC.mask)
        return not before & IWC.mask and raise_event(self.memory, registers.IECTL)


class ItagReusingQueue(InvalidationQueue):
    """BUG: takes a tag for free as soon as its request was sent."""

    def is_free(self, itag: int) -> bool:
        """Every tag counts as free."""
        return True


def _message(response: PageGroupResponse) -> PrgResponse:
    """What goes to the device; it treats a code that it does not know as a failure."""
    known = response.code in (ResponseCode.SUCCESS, ResponseCode.INVALID)
    code = ResponseCode(response.code) if known else ResponseCode.FAILURE
    return PrgResponse(sid=response.sid, pasid=response.pasid, prgi=response.prgi, code=code)


def _sid(pending: Pending) -> StreamId | None:
    """The device that a device-TLB invalidation is for."""
    return pending.descriptor.sid if isinstance(pending.descriptor, DeviceTlbInvalidate) else None


def _word_of(address: PhysAddr) -> PhysAddr:
    """The word that a 4-byte aligned address lies in."""
    return PhysAddr(address & -WORD_BYTES)
