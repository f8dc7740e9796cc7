"""The VT-d driver's hands: the invalidation queue and PASID entries, as of today (vtd-pcie §2.4, §3.4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import WORD_BYTES
from hw.pcie.tlp import ResponseCode
from hw.tlb import PageRange, pages_from
from hw.vtd import invalidation
from hw.vtd.descriptors import (
    EVERYTHING,
    Descriptor,
    DeviceTlbInvalidate,
    PageGroupResponse,
    Wait,
    pasid_cache,
    pasid_iotlb,
)
from hw.vtd.pasid import FLPT_DEFAULT_DID, FPD, Did, P, Qwords, entry_address, first_level_entry
from hw.vtd.registers import Registers
from hw.vtd.ring import ByteRing

from .cpu import Cpu, Lock
from .events import ContextWritten, FpdWritten
from .pasid import Bond

LANE = "vtd"
Published = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Descriptors that are in the ring, and where which ticket will say that all of them are complete."""

    slots: int
    status: PhysAddr
    ticket: int


class Tail(Protocol):
    """IQT: a store that the unit waits for."""

    async def move(self, cpu: Any, tail: int) -> None:
        """What lies before `tail` is the unit's from here."""
        ...


class Qi:
    """qi_submit_sync: descriptors and a wait under a spin lock, then a busy wait for the status that the wait writes.

    Linux writes the same status value every time, and a store of its own before; a ticket says the same with a store
    less. FSTS is not read, as if nothing ever stopped the queue: `drivers.intel_vtd_errors` does.
    """

    def __init__(self, registers: Registers, ring: ByteRing, status: PhysAddr, lock: Lock, iqt: Tail) -> None:
        """`status` is where the status words begin, one for each slot."""
        self._registers = registers
        self._ring = ring
        self._status = status
        self._lock = lock
        self._iqt = iqt
        self._tail = 0
        self._count = 0
        self._free = ring.entries - 1
        self._waits: deque[Submission] = deque()
        """What is in the ring, oldest first."""

    async def submit(
        self, cpu: Cpu, *batch: Descriptor, drain: bool = False, published: Published | None = None
    ) -> bool:
        """Return when the wait behind the batch is complete (True) or aborted; `drain` and `published` as in `post`."""
        posted = await self.post(cpu, *batch, drain=drain, published=published)
        return await self.completed(cpu, posted.status, posted.ticket)

    async def post(
        self, cpu: Cpu, *batch: Descriptor, drain: bool = False, published: Published | None = None
    ) -> Submission:
        """Hand a batch and a wait behind it to hardware, and do not wait; with `drain` the wait has PD set.

        `published` is called in the step that moves the tail, with the number of the first descriptor (counted over
        the life of the queue).
        """
        await cpu.lock(self._lock)
        await self._make_room(cpu, len(batch) + 1)
        first = self._count
        for descriptor in batch:
            await self._write(cpu, descriptor)
        status = PhysAddr(self._status + self._ring.index(self._tail) * WORD_BYTES)
        ticket = self._count + 1
        await self._write(cpu, Wait(status_write=True, drain=drain, status_data=ticket, status_address=status))
        posted = Submission(slots=len(batch) + 1, status=status, ticket=ticket)
        self._waits.append(posted)
        await self._iqt.move(cpu, self._tail)
        if published is not None:
            published(first)
        await cpu.unlock(self._lock)
        return posted

    async def completed(self, cpu: Cpu, status: PhysAddr, ticket: int) -> bool:
        """Spin on the status word; a later ticket there says that the slot is in use again."""
        await cpu.poll(status, lambda word: word >= ticket, "the wait descriptor completes", sleeps=False)
        return True

    async def _make_room(self, cpu: Cpu, slots: int) -> None:
        """Slots are free again when the wait behind them is complete; others may submit while this one spins."""
        while self._free < slots:
            oldest = self._waits[0]
            await cpu.unlock(self._lock)
            await self.completed(cpu, oldest.status, oldest.ticket)
            await cpu.lock(self._lock)
            if self._waits[0] is oldest:
                self._waits.popleft()
                self._free += oldest.slots

    async def _write(self, cpu: Cpu, descriptor: Descriptor) -> None:
        """Fill the next slot; called under the lock, with room."""
        ring = self._ring
        name = f"IQ[{ring.index(self._tail)}] = {invalidation.type_of(descriptor).name}"
        await cpu.store_words(ring.slot(self._tail), invalidation.encode(descriptor), name)
        self._tail = ring.next(self._tail)
        self._free -= 1
        self._count += 1


class PageGroupResponses:
    """Page responses go through the invalidation queue, and are waited for (qi_submit_sync knows nothing else)."""

    lane = LANE

    def __init__(self, sid: StreamId, qi: Qi) -> None:
        self._sid = sid
        self._qi = qi

    def code(self, code: ResponseCode) -> int:
        """The descriptor has PCIe's own code."""
        return code

    async def issue_response(
        self, cpu: Cpu, pasid: Pasid, prgi: Prgi, code: ResponseCode, published: Published
    ) -> None:
        """Submit it."""
        response = PageGroupResponse(sid=self._sid, pasid=pasid, prgi=prgi, code=code)
        await self._qi.submit(cpu, response, published=published)


class PasidTable:
    """PASID entries of one device: set up and torn down as the eras of `drivers.intel_vtd_eras` have taught.

    Tear-down replaces the word with P in one store, so that hardware never sees half of it, nor an absent entry that
    reports what is expected. The other words follow when no fetch of the present entry is left.
    """

    drain: Callable[[Cpu, Bond], Coroutine[Any, Any, None]] | None = None
    """intel_iommu_drain_pasid_prq, where the world has one."""
    srcu: Lock | None = None
    """What the release callback runs under, where unbind can meet it."""

    def __init__(self, table: PhysAddr, sid: StreamId, qi: Qi, lock: Lock) -> None:
        """`lock` is iommu->lock, a spin lock."""
        self._table = table
        self._sid = sid
        self._qi = qi
        self._lock = lock

    def forget(self) -> None:
        """Nobody drains any more: who does knows this table."""
        self.drain = None

    def of(self, bond: Bond) -> Qwords:
        """The entry that binds a PASID to an address space; every process has the same DID."""
        return first_level_entry(flptptr=bond.mm.tables.root)

    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """Make an entry present: everything else first, the word with P last."""
        words = self.of(bond)
        await cpu.lock(self._lock)
        for number in (1, 2):
            await self.store(cpu, bond, number, words[number])
        await self.store(cpu, bond, 0, words[0])
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=True, binding=bond.number, target=LANE))
        await cpu.unlock(self._lock)
        await self.made(cpu, bond)

    async def made(self, cpu: Cpu, bond: Bond) -> None:
        """An entry is present. Nobody remembers that it was absent, except in caching mode (CAP.CM)."""

    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """Unbind: a fault from now on is a bug of somebody's, and has to be reported."""
        await self.tear_down(cpu, bond, expected=False)

    async def quiet(self, cpu: Cpu, bond: Bond) -> None:
        """mm release: the device has not been told yet, so that faults are expected until unbind."""
        await self.tear_down(cpu, bond, expected=True)

    async def tear_down(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """intel_pasid_tear_down_entry; `expected` is fault_ignore."""
        await cpu.lock(self._lock)
        q0 = await cpu.load(self.word(bond, 0), f"PE[{bond.pasid}].q0")
        if not q0 & P.mask:
            await self.absent(cpu, bond, q0, expected=expected)
            return
        await self.disconnect(cpu, bond, q0, expected=expected)
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=False, binding=bond.number, target=LANE))
        await cpu.unlock(self._lock)
        await self.forget_entry(cpu, bond)
        await self.invalidate(cpu, bond)
        await self.tidy(cpu, bond, expected=expected)
        await self.finish(cpu, bond, expected=expected)

    async def absent(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """Release or unbind was here first, and may still be at it; called under the lock.

        Unbind takes FPD away and waits for the release callback (synchronize_srcu); the callback may not wait for
        unbind, which sleeps, and flushes once more.
        """
        if not expected:
            await self.store(cpu, bond, 0, 0)
        await self.unlock(cpu)
        if expected or self.srcu is None:
            await self.flush(cpu, bond)
        else:
            await cpu.lock(self.srcu)
            await cpu.unlock(self.srcu)
        await self.finish(cpu, bond, expected=expected)

    async def disconnect(self, cpu: Cpu, bond: Bond, q0: int, *, expected: bool) -> None:
        """P goes, and FPD comes, in one store."""
        await self.store(cpu, bond, 0, FPD.mask if expected else 0)

    async def tidy(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Clear the other words, but not the first: unbind may have been here meanwhile and taken FPD away."""
        for number in (1, 2):
            await self.store(cpu, bond, number, 0)

    async def finish(self, cpu: Cpu, bond: Bond, *, expected: bool) -> None:
        """Drain the page request queue, which may sleep: the release callback must not."""
        if self.drain is not None and not expected:
            await self.drain(cpu, bond)

    async def unlock(self, cpu: Cpu) -> None:
        """Give iommu->lock back."""
        await cpu.unlock(self._lock)

    async def flush(self, cpu: Cpu, bond: Bond) -> None:
        """All that is cached of a PASID in one submission, as hardware itself keeps the order (vtd-pcie §2.4)."""
        did, pasid = self.did(bond), bond.pasid
        await self._qi.submit(cpu, pasid_cache(did, pasid), pasid_iotlb(did, pasid), self.device_tlb(bond))

    async def forget_entry(self, cpu: Cpu, bond: Bond) -> None:
        """The PASID cache first: an IOTLB that is empty before it can be filled through the old entry."""
        await self._qi.submit(cpu, pasid_cache(self.did(bond), bond.pasid))

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """IOTLB before device TLB, each waited for: the other way round the device can fetch the old page again."""
        await self.invalidate_iotlb(cpu, bond)
        await self.invalidate_atc(cpu, bond)

    async def invalidate_iotlb(self, cpu: Cpu, bond: Bond, pages: PageRange | None = None) -> None:
        """All of a PASID's translations, or those of some pages."""
        await self._qi.submit(cpu, pasid_iotlb(self.did(bond), bond.pasid, pages))

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Only this takes access away from an endpoint that holds a translation; the largest range is everything."""
        await self._qi.submit(cpu, self.device_tlb(bond))

    async def invalidate_pages(self, cpu: Cpu, bond: Bond, address: VirtAddr, pages: int) -> None:
        """As `invalidate`, for some pages; ranges are aligned to their size and may be larger."""
        span = pages_from(address, pages)
        await self.invalidate_iotlb(cpu, bond, span)
        await self._qi.submit(cpu, self.device_tlb(bond, span))

    def device_tlb(self, bond: Bond, pages: PageRange = EVERYTHING) -> DeviceTlbInvalidate:
        """The descriptor for everything of a PASID, or for some pages."""
        return DeviceTlbInvalidate(sid=self._sid, pasid=bond.pasid, pages=pages)

    def did(self, bond: Bond) -> Did:
        """The domain that every process is in."""
        return FLPT_DEFAULT_DID

    async def store(self, cpu: Cpu, bond: Bond, number: int, value: int) -> None:
        """Write one word of an entry."""
        await cpu.store(self.word(bond, number), value, f"PE[{bond.pasid}].q{number}")
        if number == 0:
            cpu.emit(FpdWritten(pasid=bond.pasid, fpd=bool(value & FPD.mask)))

    def word(self, bond: Bond, number: int) -> PhysAddr:
        """Where a word of an entry lies."""
        return PhysAddr(entry_address(self._table, bond.pasid) + number * WORD_BYTES)
