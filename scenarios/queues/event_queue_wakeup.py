"""Race SMMU-R01: the interrupt comes on the edge from empty only, so who empties the queue must look once more."""

from __future__ import annotations

from actors.iommus.smmuv3.event_unit import EventUnit, add_faulting_stream
from actors.runtime.world import World
from drivers.smmuv3.evtq import THREADS
from hw.bus import Pasid, StreamId
from hw.memory import KERNEL, MMIO
from hw.smmuv3.evtq import ENTRY_WORDS, Evtq
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers

from ..oracles.every_event_is_taken import EveryEventIsTaken
from ..oracles.every_overflow_is_acknowledged import EveryOverflowIsAcknowledged
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.event_without_interrupt import EventWithoutInterrupt

EXPECTED = (
    Expected(
        params={"thread": "snapshot"},
        leaves=("F_TRANSLATION",),
        verdict="violated",
        oracle="every-event-is-taken",
        why="the second event comes while the first is handled: no edge, no interrupt, and nobody looks again",
    ),
    Expected(
        params={"thread": "re-read"},
        verdict="holds",
        why="an event that comes before CONS catches up is seen by the second look, a later one raises the interrupt",
    ),
    Expected(
        params={"thread": "re-read", "events": 4},
        verdict="holds",
        why="a full queue loses events but wakes up and is acknowledged all the same",
    ),
    Expected(params={"thread": "snapshot", "events": 1}, verdict="vacuous", why="one event always finds it empty"),
)


@scenario(
    source="b4163fb3333c (August 2016): iommu/arm-smmu-v3: Fix event queues synchronization",
    expected=EXPECTED,
    thread=one_of(*THREADS, default="snapshot", meaning="whether PROD is read again before the end"),
    events=number(1, 4, default=2, meaning="faults that the stream records"),
    evtq=number(0, 2, default=1, meaning="log2 of the event queue's entries"),
)
def event_queue_wakeup(world: World, *, thread: str, events: int, evtq: int) -> None:
    """An event arrives while the interrupt thread empties the queue, and raises no interrupt."""
    registers = Registers(world.frames.allocate(MMIO))
    ring = Ring(world.frames.allocate(KERNEL), evtq, ENTRY_WORDS)
    irq = world.interrupt("EVTQ")
    unit = EventUnit(world, Evtq(world.memory, ring, registers.EVTQ_PROD, registers.EVTQ_CONS), irq)
    add_faulting_stream(world, unit, sid=StreamId(0), pasid=Pasid(1), events=events)
    world.add_actor("evtq_thread", THREADS[thread](registers, ring, irq).thread, daemon=True)

    world.check(EveryEventIsTaken(), EveryOverflowIsAcknowledged())
    world.expect(EventWithoutInterrupt())
