"""Drains of VT-d's page requests with one step wrong, and the locks that were held around them (docs/races.md)."""

from __future__ import annotations

from dataclasses import dataclass

from hw.pcie.tlp import ResponseCode
from hw.vtd.descriptors import WaitDescriptor

from ..cpu import Cpu, Lock
from ..kernel.endpoint import Endpoint
from ..kernel.faults.iopf import FaultGroup
from ..kernel.faults.mutants import AnswersMarkers
from ..kernel.faults.page_requests import Intake, Responder, ResponseQueue
from ..kernel.memory.pasid import Bond, Pasids
from ..kernel.pasid_lifetime import WalkedLifetime
from .pasid_table import PasidTable
from .pasid_table_eras import DrainsInRelease, SkipsDrain, TrustsTheFirst
from .prq import PageRequestQueue, PrqDrain
from .prq_variants import ClearsProEarly
from .qi import Qi
from .qi_errors import ReplacesRefused


class DrainsNothing(PrqDrain):
    """BUG: what is in the queue or with the worker is looked up under the PASID's next owner (VTD-R02)."""

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing is waited for."""


class LooksOnce(PrqDrain):
    """BUG: an entry that came behind the batch which it waits for stays in the queue (VTD-R02: v2, April 2020)."""

    async def taken(self, cpu: Cpu, bond: Bond) -> None:
        """Look once, and wait for one batch."""
        seen = await self.batches(cpu)
        if await self.waiting(cpu, bond):
            await self.next_batch(cpu, seen)


class IgnoresOverflow(PrqDrain):
    """BUG: returns while the thread still has partial groups whose Last was lost in an overflow."""

    async def overflowed(self, cpu: Cpu) -> bool:
        """PRO is not looked at."""
        return False


class DrainsTwice(PrqDrain):
    """All of it once more: needs no tear-down before it, which has asked the device already."""

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """Whatever the first round has brought into the queue is taken, handled and answered in the second."""
        await PrqDrain.run(self, cpu, bond)
        await PrqDrain.run(self, cpu, bond)


class LooksAgain(PrqDrain):
    """BUG where no tear-down comes before it: D1 and D2 once more behind D4; the last response may still be inside."""

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """Wait for software, for hardware, and for software once more."""
        await PrqDrain.run(self, cpu, bond)
        await self.taken(cpu, bond)
        await self.handled(cpu, bond)


class OneDescriptor(LooksAgain):
    """BUG: of the three descriptors only the fence is submitted; nobody asks the device (VTD-R02: v4, May 2020)."""

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """The wait behind it has PD all the same."""
        await self._qi.submit(cpu, WaitDescriptor(fence=True), drain=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrainingDriver:
    """The parts of the driver that have to do with page requests; the right ones where nothing is said."""

    contexts: type[PasidTable] = PasidTable
    drain: type[PrqDrain] = PrqDrain
    intake: type[Intake] = Intake
    qi: type[Qi] = Qi
    queue: type[PageRequestQueue] = PageRequestQueue


DRIVERS = {
    "none": DrainingDriver(drain=DrainsNothing),
    "no-recheck": DrainingDriver(drain=LooksOnce),
    "one-descriptor": DrainingDriver(drain=OneDescriptor),
    "no-overflow": DrainingDriver(drain=IgnoresOverflow),
    "early-clear": DrainingDriver(queue=ClearsProEarly),
    "lost": DrainingDriver(contexts=SkipsDrain),
    "in-release": DrainingDriver(contexts=DrainsInRelease),
    "trusts-first": DrainingDriver(contexts=TrustsTheFirst),
    "marker": DrainingDriver(intake=AnswersMarkers),
    "right": DrainingDriver(),
    "again": DrainingDriver(drain=LooksAgain),
    "twice": DrainingDriver(drain=DrainsTwice),
    "checks-iqe": DrainingDriver(qi=ReplacesRefused),
}


class DrainingUnbind(WalkedLifetime):
    """The entry is torn down, its page requests are drained, and the binding is over."""

    def __init__(
        self, pasids: Pasids, contexts: PasidTable, endpoint: Endpoint, bond: Bond, drain: PrqDrain, mutex: Lock
    ) -> None:
        """`mutex` is pasid_mutex, for those who take it."""
        WalkedLifetime.__init__(self, pasids, contexts, endpoint, bond)
        self.drain = drain
        self.mutex = mutex
        contexts.drains_with(self.drained)

    async def drained(self, cpu: Cpu, bond: Bond) -> None:
        """Drain behind the tear-down."""
        await self.drain.run(cpu, bond)


class DrainsFirst(DrainingUnbind):
    """In the order of seed 000: the device has stopped, but the entry still lets its page requests in."""

    async def detach(self, cpu: Cpu) -> None:
        """Drain, then tear the entry down."""
        await self.drain.run(cpu, self._bond)
        await DrainingUnbind.detach(self, cpu)

    async def drained(self, cpu: Cpu, bond: Bond) -> None:
        """The queue was drained before the tear-down."""


class HoldsMutex(DrainingUnbind):
    """BUG: holds pasid_mutex while it waits for a worker that needs it to answer (VTD-R06: until August 2021)."""

    async def end(self, cpu: Cpu) -> None:
        """The mutex is held from the tear-down on."""
        await cpu.lock(self.mutex)
        await DrainingUnbind.end(self, cpu)
        await cpu.unlock(self.mutex)


class DropsMutex(HoldsMutex):
    """Since August 2021 the mutex is dropped while the drain waits."""

    async def drained(self, cpu: Cpu, bond: Bond) -> None:
        """Drain without the mutex."""
        await cpu.unlock(self.mutex)
        await HoldsMutex.drained(self, cpu, bond)
        await cpu.lock(self.mutex)


UNBINDS: dict[str, type[DrainingUnbind]] = {
    "plain": DrainingUnbind,
    "drain-first": DrainsFirst,
    "mutex-held": HoldsMutex,
    "mutex-dropped": DropsMutex,
}


class TakesMutex(Responder):
    """In the years of pasid_mutex a page response takes it, to see whether the binding is still there."""

    def __init__(self, mutex: Lock, queue: ResponseQueue) -> None:
        Responder.__init__(self, queue)
        self._mutex = mutex

    async def respond(self, cpu: Cpu, group: FaultGroup, code: ResponseCode) -> None:
        """Answer under the mutex."""
        await cpu.lock(self._mutex)
        await Responder.respond(self, cpu, group, code)
        await cpu.unlock(self._mutex)
