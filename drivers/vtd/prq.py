"""VT-d's page request thread and the drain of a PASID's page requests (vtd-pcie §3.5, §3.6)."""

from __future__ import annotations

from hw.bus import Resource, StreamId, VirtAddr
from hw.paging.x86 import canonical
from hw.pcie.tlp import NO_PASID, PageRequest, ResponseCode
from hw.vtd.descriptors import Descriptor, WaitDescriptor, pasid_iotlb
from hw.vtd.prq import decode
from hw.vtd.registers import PPR, PRO, Registers, prs_after
from hw.vtd.ring import ENTRY_WORDS, ByteRing

from ..cpu import Cpu, Interrupt, Lock
from ..events.faults import OverflowAcknowledged
from ..kernel.faults.iopf import FaultGroup
from ..kernel.faults.page_requests import Intake, Responder
from ..kernel.function_reset import Function
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable
from .qi import Qi

BATCHES: Resource = ("PRQ thread", "batches")
"""How many times the thread has been through the queue: prq_complete."""


class PageRequestQueue:
    """The interrupt thread: everything between head and tail is one batch, and the head moves once, behind it."""

    def __init__(
        self,
        registers: Registers,
        ring: ByteRing,
        irq: Interrupt,
        lock: Lock,
        intake: Intake,
        responder: Responder,
    ) -> None:
        """`responder` answers the requests that never reach the fault code."""
        self.intake = intake
        self.batches = 0
        self._registers = registers
        self._ring = ring
        self._irq = irq
        self._lock = lock
        self._responder = responder
        self._taken = 0

    async def thread(self, cpu: Cpu) -> None:
        """Wait for the interrupt, take a batch, again."""
        while True:
            await self._irq.take(cpu)
            await self.drain(cpu)

    async def drain(self, cpu: Cpu) -> None:
        """One run of the thread, and all who wait for it are told; whoever runs it keeps everybody else out."""
        await cpu.lock(self._lock)
        await self.acknowledge(cpu, PPR.mask, "PRS: PPR = 0")
        await self.batch(cpu)
        await self.recover(cpu)
        await self.complete(cpu)
        await cpu.unlock(self._lock)

    async def complete(self, cpu: Cpu) -> None:
        """All who wait for a batch are told, whoever they are: none of them can miss it."""
        await cpu.access("complete(prq_complete)", writes=(BATCHES,))
        self.batches += 1

    async def batch(self, cpu: Cpu) -> None:
        """PPR is clear by now, so that what comes later raises a new interrupt."""
        tail, head = await self.pointers(cpu)
        here = head
        while not self._ring.empty(here, tail):
            await self._take(cpu, here)
            here = self._ring.next(here)
        if here != head:
            await cpu.store(self._registers.PQH, here, "PQH")

    async def pointers(self, cpu: Cpu) -> tuple[int, int]:
        """The two pointers: PQT is read first, then PQH."""
        tail = await cpu.load(self._registers.PQT, "PQT")
        await self.tail_read(cpu)
        return tail, await cpu.load(self._registers.PQH, "PQH")

    async def tail_read(self, cpu: Cpu) -> None:
        """No descriptor is read before PQT says that it is there: PQT is read by readq."""
        await cpu.dma_rmb()

    async def _take(self, cpu: Cpu, pointer: int) -> None:
        """One descriptor: a bad one is answered here, if its group ends with it."""
        number = self._taken
        self._taken += 1
        words = await cpu.load_words(self._ring.slot(pointer), ENTRY_WORDS, f"PRQ[{self._ring.index(pointer)}]")
        entry = decode(tuple(words))
        if not self.is_bad(entry):
            await self.intake.take(cpu, number, entry)
        elif entry.last:
            group = FaultGroup(pasid=entry.pasid, prgi=entry.prgi, numbers=[number], addresses=[entry.address])
            await self._responder.respond(cpu, group, ResponseCode.INVALID)

    def is_bad(self, entry: PageRequest) -> bool:
        """Not canonical, privileged with rights, or to be executed and read: no user address space has such pages."""
        wants = entry.read or entry.write
        return (
            not canonical(VirtAddr(entry.address))
            or (entry.priv and wants)
            or (entry.execute and entry.read)
            or entry.pasid == NO_PASID
        )

    async def recover(self, cpu: Cpu) -> None:
        """After an overflow: first the partial groups, then PRO."""
        status = await cpu.load(self._registers.PRS, "PRS")
        if status & PRO.mask and await self.may_recover(cpu):
            await self.intake.iopf.discard_partial(cpu, None)
            await self.acknowledge(cpu, PRO.mask, "PRS: PRO = 0")
            cpu.emit(OverflowAcknowledged(queue="PRQ"))

    async def may_recover(self, cpu: Cpu) -> bool:
        """Only when the queue is empty: the pointers are read again (28a77185f1cd)."""
        tail, head = await self.pointers(cpu)
        return self._ring.empty(head, tail)

    async def acknowledge(self, cpu: Cpu, bit: int, what: str) -> None:
        """Write 1 to a status bit: one access, which clears it."""
        await cpu.rmw(self._registers.PRS, lambda status: prs_after(status, bit), what)


class PrqDrain:
    """intel_iommu_drain_pasid_prq, D1 to D5; it sleeps. The device is stopped, entry and caches are clear.

    Without D0, which returns at once if PRI is not enabled for the device: see `drivers.vtd.reset_drains`.
    """

    def __init__(
        self,
        registers: Registers,
        ring: ByteRing,
        queue: PageRequestQueue,
        table: PasidTable,
        qi: Qi,
        sid: StreamId,
        function: Function,
    ) -> None:
        """`function` is the device, for those who look at its page request interface."""
        self.queue = queue
        self.function = function
        self._registers = registers
        self._ring = ring
        self._table = table
        self._qi = qi
        self._sid = sid

    async def run(self, cpu: Cpu, bond: Bond) -> None:
        """Nothing of the PASID is left in the queue, with the workers, or in hardware when it returns."""
        await self.taken(cpu, bond)
        await self.handled(cpu, bond)
        while True:
            seen = await self.batches(cpu)
            await self.pushed(cpu, bond)
            if not await self.overflowed(cpu):
                return
            await self.next_batch(cpu, seen)

    async def taken(self, cpu: Cpu, bond: Bond) -> None:
        """D1: what arrives while it waits is waited for as well."""
        while True:
            seen = await self.batches(cpu)
            if not await self.waiting(cpu, bond):
                return
            await self.next_batch(cpu, seen)

    async def waiting(self, cpu: Cpu, bond: Bond) -> bool:
        """Whether an entry of this function and PASID lies between head and tail."""
        tail, head = await self.queue.pointers(cpu)
        while not self._ring.empty(head, tail):
            if await self.matches(cpu, bond, head):
                return True
            head = self._ring.next(head)
        return False

    async def matches(self, cpu: Cpu, bond: Bond, pointer: int) -> bool:
        """Whether an entry is of this function and PASID (in 2020: of this PASID)."""
        words = await cpu.load_words(self._ring.slot(pointer), ENTRY_WORDS, f"PRQ[{self._ring.index(pointer)}]")
        entry = decode(tuple(words))
        return entry.pasid == bond.pasid and entry.sid == self._sid

    async def handled(self, cpu: Cpu, bond: Bond) -> None:
        """D2: flush the whole work queue."""
        await self.queue.intake.iopf.flush(cpu)

    async def pushed(self, cpu: Cpu, bond: Bond) -> None:
        """D4: the round trip to the device brings every request ahead of its completion, PD takes responses out."""
        await self._qi.submit(cpu, *self.round_trip(bond), drain=True)

    def round_trip(self, bond: Bond) -> tuple[Descriptor, ...]:
        """D3: the fence, then all translations of the PASID, here and in the device."""
        iotlb = pasid_iotlb(self._table.did(bond), bond.pasid)
        return WaitDescriptor(fence=True), iotlb, self._table.device_tlb(bond)

    async def overflowed(self, cpu: Cpu) -> bool:
        """D5: what the round trip brought may have met an overflow, and then is answered but comes again."""
        return bool(await cpu.load(self._registers.PRS, "PRS") & PRO.mask)

    async def batches(self, cpu: Cpu) -> int:
        """reinit_completion: what the thread completes from here on counts."""
        await cpu.access("reinit_completion(prq_complete)", reads=(BATCHES,))
        return self.queue.batches

    async def next_batch(self, cpu: Cpu, seen: int) -> None:
        """Wait until the thread completes another batch (wait_for_completion)."""
        await cpu.wait("prq_complete", lambda: self.queue.batches > seen, reads=(BATCHES,))
