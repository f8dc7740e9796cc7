"""A PRI queue that somebody else than its thread looks into (seed 000): the thread is kept out meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Pasid, Resource
from hw.events.event import Event
from hw.smmuv3.priq import decode

from ..cpu import Cpu
from .priq import PriQueue


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadKeptOut(Event):
    """Somebody holds the queue's lock, or gives it back after so many `entries` that it took or looked at."""

    begins: bool
    producer: int
    """Where PRIQ_PROD is: what comes meanwhile moves it, or finds no room."""
    entries: int = 0

    def _label(self) -> str:
        return "the PRI thread is kept out" if self.begins else f"the PRI thread may go on ({self.entries} entries)"

    def _touches(self) -> tuple[Resource, ...]:
        return (("word", self.producer),)


class InspectedPriQueue(PriQueue):
    """Says how long its thread is kept out by whom: who takes what there is, or who only looks."""

    async def thread(self, cpu: Cpu) -> None:
        """The thread keeps nobody out but itself."""
        while True:
            await self._irq.take(cpu)
            await PriQueue.drain(self, cpu)

    async def drain(self, cpu: Cpu) -> None:
        """Unbind takes what is queued."""
        await self.keep_out(cpu)
        await self.let_in(cpu, await self.take_all(cpu))

    async def find(self, cpu: Cpu, pasid: Pasid) -> int | None:
        """Look at every entry where it is; PRIQ_CONS of then, if one is the PASID's, and None if none is."""
        await cpu.lock(self._lock)
        await self.keep_out(cpu)
        prod, cons = await self._look(cpu), self._cons
        looked, found = 0, False
        while not self._ring.empty(prod, cons):
            words = await cpu.load_words(
                self._ring.slot(cons), self._ring.entry_words, f"PRIQ[{self._ring.index(cons)}]"
            )
            found = found or decode(words[0], words[1]).ssid == pasid
            looked += 1
            cons = self._ring.next(cons)
        before = self._cons
        await self.let_in(cpu, looked)
        await cpu.unlock(self._lock)
        return before if found else None

    async def taken(self, cpu: Cpu, before: int) -> None:
        """Wait until the thread has taken an entry since PRIQ_CONS was `before`."""
        await cpu.poll(self._cons_register, lambda now: now != before, "the PRI thread has taken an entry")

    async def keep_out(self, cpu: Cpu) -> None:
        """From here an overflow is the drain's."""
        producer = self._prod_register
        await cpu.access("the PRI thread is kept out", reads=(("word", producer),))
        cpu.emit(ThreadKeptOut(begins=True, producer=producer))

    async def let_in(self, cpu: Cpu, entries: int) -> None:
        """To here."""
        producer = self._prod_register
        await cpu.access("the PRI thread may go on", reads=(("word", producer),))
        cpu.emit(ThreadKeptOut(begins=False, producer=producer, entries=entries))
