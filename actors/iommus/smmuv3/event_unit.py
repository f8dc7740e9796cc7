"""The SMMU's event queue unit: entry, PROD and interrupt edge in one step (smmuv3 §1.6, §1.7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import Cpu, World
from hw.bus import Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.events.faults import EventLost, EventQueued
from hw.events.link import pasid_resource
from hw.memory import WORD_BYTES
from hw.smmuv3.evtq import EventClass, EventId, EventRecord, Evtq, Full
from hw.smmuv3.queues import Accepted, Dropped


@dataclass(slots=True)
class EventUnit:
    """Appends records; several units may do so."""

    world: World
    evtq: Evtq
    irq: Interrupt
    binding_now: Callable[[Pasid], int] = lambda pasid: 0
    """Ghost: which binding owns a PASID now."""
    accepted: int = 0

    async def record(
        self, cpu: Cpu, record: EventRecord, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()
    ) -> Accepted | Dropped | Full:
        """Append a record, or do what its kind demands of a full queue."""
        await self.announce(cpu, record.ssid, reads, writes)
        return self.append_now(cpu, record)

    async def announce(
        self, cpu: Cpu, pasid: Pasid, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()
    ) -> None:
        """The step that appends; the caller adds what else it touches in it.

        Which slot it is depends on who else has appended by then: all are announced, one is written.
        """
        looks_at = (("word", self.evtq.cons_register), pasid_resource(pasid), *reads)
        changes = (("word", self.evtq.prod_register), self.irq.resource, *writes)
        slots = [word for number in range(self.evtq.ring.entries) for word in self._slot(number)]
        await cpu.access("EVTQ: write entry and PROD", reads=looks_at, writes=(*slots, *changes))

    def _slot(self, number: int) -> Iterator[Resource]:
        """The words of an entry."""
        ring = self.evtq.ring
        return (("word", PhysAddr(ring.slot(number) + word * WORD_BYTES)) for word in range(ring.entry_words))

    def append_now(self, cpu: Cpu, record: EventRecord) -> Accepted | Dropped | Full:
        """Within that step."""
        answer = self.evtq.append(record)
        if isinstance(answer, Accepted):
            self._announce(cpu, record, answer)
        elif isinstance(answer, Dropped):
            cpu.emit(EventLost(id=record.id.name, sid=record.sid))
        return answer

    def _announce(self, cpu: Cpu, record: EventRecord, answer: Accepted) -> None:
        if answer.was_empty:
            self.irq.raise_now()
        cpu.emit(
            EventQueued(
                number=self.accepted,
                id=record.id.name,
                sid=record.sid,
                pasid=record.ssid,
                stall=record.stall,
                stag=record.stag,
                raised=answer.was_empty,
                binding=self.binding_now(record.ssid),
            )
        )
        self.accepted += 1


def add_faulting_stream(world: World, unit: EventUnit, *, sid: StreamId, pasid: Pasid, events: int) -> None:
    """An actor that records faults of a stream that does not stall, one after the other."""

    async def faults(cpu: Cpu) -> None:
        for number in range(events):
            address = VirtAddr(number << 12)
            record = EventRecord(
                id=EventId.F_TRANSLATION, sid=sid, ssv=True, ssid=pasid, event_class=EventClass.IN, address=address
            )
            await unit.record(cpu, record)

    world.add_actor("smmu.events", faults, hardware=True)
