"""The event queue's interrupt thread (smmuv3 §3.9), and the one of before b4163fb3333c (race SMMU-R01)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hw.bus import Resource
from hw.smmuv3.evtq import EventRecord, decode
from hw.smmuv3.queues import Ring, overflow_pending
from hw.smmuv3.registers import Registers

from ..cpu import Cpu, Interrupt, Lock
from ..events.faults import EventTaken
from .queue_thread import QueueThread

BATCH: Resource = ("EVTQ", "batch")
"""How often the thread has emptied the queue."""
Handle = Callable[[Cpu, int, EventRecord], Coroutine[Any, Any, None]]


class EventQueue(QueueThread):
    """Take entries until the queue is really empty: PROD is read again whenever those seen so far are used up."""

    def __init__(
        self, registers: Registers, ring: Ring, irq: Interrupt, handle: Handle | None = None, lock: Lock | None = None
    ) -> None:
        """`handle` gets the entries in order, with their numbers; without it they are printed and forgotten.

        The `lock` is for those variants that let somebody else wait for the queue.
        """
        super().__init__("EVTQ", registers.EVTQ_PROD, registers.EVTQ_CONS, ring, irq)
        self._handle = handle
        self._lock = lock

    async def drain(self, cpu: Cpu) -> None:
        """Empty the queue; the overflow is acknowledged last."""
        prod = await self._look(cpu)
        while not self._ring.empty(prod, self._cons):
            while not self._ring.empty(prod, self._cons):
                await self.take(cpu)
            prod = await self.look_again(cpu, prod)
        if overflow_pending(prod, self._cons):
            await self.acknowledge(cpu)

    async def look_again(self, cpu: Cpu, prod: int) -> int:
        """PROD once more: what came meanwhile found the queue non-empty, and so raised no interrupt."""
        return await self._look(cpu)

    async def take(self, cpu: Cpu) -> None:
        """Decode it and hand it on."""
        number, words = await self._next(cpu)
        record = decode(words)
        cpu.emit(EventTaken(number=number, stall=record.stall))
        await self.handle(cpu, number, record)

    async def handle(self, cpu: Cpu, number: int, record: EventRecord) -> None:
        """Do with the event what whoever made the thread said."""
        if self._handle is not None:
            await self._handle(cpu, number, record)


class SnapshotEventQueue(EventQueue):
    """BUG: trusts the PROD it read first; an entry that comes meanwhile raises no interrupt and waits for ever."""

    async def look_again(self, cpu: Cpu, prod: int) -> int:
        """The PROD that was read first is used again."""
        return prod


class DrainableEventQueue(EventQueue):
    """Whoever empties the queue keeps everybody else out of it, so that unbind can wait for what is queued."""

    async def drain(self, cpu: Cpu) -> None:
        """The queue is emptied under a mutex, handling included."""
        await cpu.lock(self._lock)
        await super().drain(cpu)
        await cpu.unlock(self._lock)


class BatchEventQueue(EventQueue):
    """BUG: the flush of series v4 to v7 (smmuv3 §4.4): it does not see an entry that is being handled."""

    _batch = 0

    async def drain(self, cpu: Cpu) -> None:
        """Count one more batch at the end."""
        await cpu.lock(self._lock)
        await super().drain(cpu)
        await cpu.access("EVTQ: batch++", writes=(BATCH,))
        self._batch += 1
        await cpu.unlock(self._lock)

    async def handle(self, cpu: Cpu, number: int, record: EventRecord) -> None:
        """Handling may sleep, so the lock is dropped meanwhile."""
        await cpu.unlock(self._lock)
        await super().handle(cpu, number, record)
        await cpu.lock(self._lock)

    async def flush(self, cpu: Cpu) -> None:
        """Wait until the queue is empty, or was emptied after this began: who counts a batch has emptied it."""
        await cpu.lock(self._lock)
        prod = await self._look(cpu)
        empty, batch = self._ring.empty(prod, self._cons), self._batch
        await cpu.unlock(self._lock)
        if not empty:
            await cpu.wait("the EVTQ thread's batch", lambda: self._batch > batch, reads=(BATCH,))


THREADS: dict[str, type[EventQueue]] = {"snapshot": SnapshotEventQueue, "re-read": EventQueue}
