"""The invalidation queue of VT-d as its driver submits to it today (vtd-pcie §2.4)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES
from hw.vtd import invalidation
from hw.vtd.descriptors import Descriptor, WaitDescriptor
from hw.vtd.registers import Registers
from hw.vtd.ring import ByteRing

from ..cpu import Cpu, Lock, QueueTail

Published = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Descriptors that are in the ring, and where which ticket will say that all of them are complete."""

    slots: int
    status: PhysAddr
    ticket: int


class Qi:
    """qi_submit_sync: descriptors and a wait under a spin lock, then a busy wait for the status that the wait writes.

    Linux writes the same status value every time, and a store of its own before; a ticket says the same with a store
    less. FSTS is not read, as if nothing ever stopped the queue: `drivers.vtd.qi_errors` does.
    """

    def __init__(self, registers: Registers, ring: ByteRing, status: PhysAddr, lock: Lock, iqt: QueueTail) -> None:
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
        await self._write(
            cpu, WaitDescriptor(status_write=True, drain=drain, status_data=ticket, status_address=status)
        )
        posted = Submission(slots=len(batch) + 1, status=status, ticket=ticket)
        self._waits.append(posted)
        await self.descriptors_written(cpu)
        await self._iqt.move(cpu, self._tail)
        if published is not None:
            published(first)
        await cpu.unlock(self._lock)
        return posted

    async def descriptors_written(self, cpu: Cpu) -> None:
        """No descriptor is fetched before it is there: IQT is written by writel."""
        await cpu.dma_wmb()

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
