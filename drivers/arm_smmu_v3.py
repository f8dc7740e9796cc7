"""The SMMU driver's hands: issuing commands, writing CDs, taking PRIQ entries (smmuv3 §3.1, §4.4).

The command queue is issued under one spin lock here; the protocol of several CPUs without one is `cmdq_lock_free`.
"""

from __future__ import annotations

from collections.abc import Callable

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr, Vmid
from hw.memory import WORD_BYTES
from hw.pcie.tlp import ResponseCode
from hw.smmuv3 import commands
from hw.smmuv3.cd import cd_address, sva_cd
from hw.smmuv3.commands import ATC_INV_EVERYTHING, Command, PriResp, SyncSignal
from hw.smmuv3.entry import Qwords
from hw.smmuv3.priq import ENTRY_WORDS, decode
from hw.smmuv3.queues import OVERFLOW_FLAG, Ring, overflow_pending
from hw.smmuv3.registers import Registers
from hw.tlb import PAGE_SHIFT, pages_from

from .cpu import Cpu, Interrupt, Lock
from .events import ContextWritten
from .fault_events import OverflowAcknowledged
from .page_requests import Intake
from .pasid import Bond


class Cmdq:
    """The software side of the command queue, with a copy of CONS that is read again only when the queue looks full."""

    def __init__(self, registers: Registers, ring: Ring, lock: Lock) -> None:
        self._registers = registers
        self._ring = ring
        self._lock = lock
        self._prod = 0
        self._cons = 0
        self._issued = 0

    async def issue(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """Write commands and ring the doorbell; they are neither consumed nor complete when it returns.

        `published` is called in the step that rings the doorbell, with the number of the first command (counted over
        the life of the queue).
        """
        await cpu.lock(self._lock)
        first = self._issued
        for command in batch:
            await self._write(cpu, command)
        await self._ring_doorbell(cpu)
        if published is not None:
            published(first)
        await cpu.unlock(self._lock)

    async def issue_sync(self, cpu: Cpu, *batch: Command) -> None:
        """Issue a batch and a CMD_SYNC behind it, and wait until the SYNC has zeroed its own slot (an MSI write).

        A busy wait, as the mm's notifiers may not sleep. Who waits through a whole lap of the queue finds his slot used
        again, so the queue is longer than any wait.
        """
        await cpu.lock(self._lock)
        for command in batch:
            await self._write(cpu, command)
        slot = self._ring.slot(self._prod)
        await self._write(cpu, commands.cmd_sync(SyncSignal.IRQ, slot))
        await self._ring_doorbell(cpu)
        await cpu.unlock(self._lock)
        await cpu.poll(slot, lambda word: word == 0, "CMD_SYNC completes", sleeps=False)

    async def _write(self, cpu: Cpu, command: Command) -> None:
        """Fill the next slot; called under the lock."""
        ring = self._ring
        if ring.full(self._prod, self._cons):
            self._cons = await cpu.poll(
                self._registers.CMDQ_CONS,
                lambda cons: not ring.full(self._prod, cons),
                "a free CMDQ slot",
                sleeps=False,
            )
        name = f"CMDQ[{ring.index(self._prod)}] = {command.opcode.name}"
        await cpu.store_words(ring.slot(self._prod), commands.encode(command), name)
        self._prod = ring.next(self._prod)
        self._issued += 1

    async def _ring_doorbell(self, cpu: Cpu) -> None:
        await cpu.store(self._registers.CMDQ_PROD, self._prod, "CMDQ_PROD")


class Contexts:
    """The CD table of one stream, written the way the driver did before the entry writer of 6.9."""

    def __init__(self, table: PhysAddr, sid: StreamId, cmdq: Cmdq) -> None:
        self._table = table
        self._sid = sid
        self._cmdq = cmdq

    def of(self, bond: Bond) -> Qwords:
        """The CD that binds a PASID to an address space; PRI streams never stall (smmuv3 §2.1)."""
        return sva_cd(asid=bond.mm.asid, ttb0=bond.mm.tables.root)

    async def write(self, cpu: Cpu, bond: Bond) -> None:
        """Make a CD valid: everything else first, the word with V last, then CFGI_CD and SYNC."""
        address = cd_address(self._table, bond.pasid)
        words = self.of(bond)
        for offset in (1, 3):
            await cpu.store(PhysAddr(address + offset * WORD_BYTES), words[offset], f"CD[{bond.pasid}].q{offset}")
        await cpu.store(address, words[0], f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=True, binding=bond.number))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))

    async def clear(self, cpu: Cpu, bond: Bond) -> None:
        """Make a CD invalid, and wait until nothing uses what was cached of it: CD, then TLB, then ATC."""
        await cpu.store(cd_address(self._table, bond.pasid), 0, f"CD[{bond.pasid}].q0")
        cpu.emit(ContextWritten(pasid=bond.pasid, valid=False, binding=bond.number))
        await self._cmdq.issue_sync(cpu, commands.cfgi_cd(self._sid, bond.pasid))
        await self.invalidate(cpu, bond)

    async def invalidate(self, cpu: Cpu, bond: Bond) -> None:
        """TLBI and SYNC before ATC_INV and SYNC: the other way round the device can fetch the old entry again."""
        await self._cmdq.issue_sync(cpu, commands.tlbi_nh_asid(Vmid(0), bond.mm.asid))
        await self.invalidate_atc(cpu, bond)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """Only this takes access away from an endpoint that holds a translation."""
        everything = commands.atc_inv(self._sid, bond.pasid, VirtAddr(0), ATC_INV_EVERYTHING)
        await self._cmdq.issue_sync(cpu, everything)

    async def invalidate_pages(self, cpu: Cpu, bond: Bond, address: VirtAddr, pages: int) -> None:
        """As `invalidate`, for some pages: the ATC's range is aligned to its size and may be larger."""
        each = (VirtAddr(address + (number << PAGE_SHIFT)) for number in range(pages))
        await self._cmdq.issue_sync(cpu, *(commands.tlbi_nh_va(Vmid(0), bond.mm.asid, page) for page in each))
        atc = pages_from(address, pages)
        await self._cmdq.issue_sync(cpu, commands.atc_inv(self._sid, bond.pasid, atc.address, atc.order))


class PriQueue:
    """The PRI thread's side of the PRIQ: step (3) of seed 000."""

    def __init__(self, registers: Registers, ring: Ring, irq: Interrupt, lock: Lock, intake: Intake) -> None:
        self.intake = intake
        self._registers = registers
        self._ring = ring
        self._irq = irq
        self._lock = lock
        self._cons = 0
        self._taken = 0

    async def thread(self, cpu: Cpu) -> None:
        """Wait for the interrupt, empty the queue, again."""
        while True:
            await self._irq.take(cpu)
            await self.drain(cpu)

    async def drain(self, cpu: Cpu) -> None:
        """Take entries until the queue is seen empty. Whoever runs it keeps everybody else out of the queue.

        PROD is read again whenever the entries seen so far are used up: the interrupt fires only on the edge from
        empty, so an entry that arrives meanwhile announces itself to nobody (race SMMU-R01).
        """
        await cpu.lock(self._lock)
        while True:
            prod = await cpu.load(self._registers.PRIQ_PROD, "PRIQ_PROD")
            if overflow_pending(prod, self._cons) and self.may_recover(prod):
                await self.intake.iopf.discard_partial(cpu, None)
                await self.acknowledge(cpu)
            elif self._ring.empty(prod, self._cons):
                break
            while not self._ring.empty(prod, self._cons):
                await self._take(cpu)
        await cpu.unlock(self._lock)

    def may_recover(self, prod: int) -> bool:
        """After an overflow: drain, discard partials, then acknowledge, in this order (SMMU-R07)."""
        return self._ring.empty(prod, self._cons)

    async def _take(self, cpu: Cpu) -> None:
        """Read an entry, give its slot back at once, then hand it on: a response gives the device a credit."""
        slot = self._ring.slot(self._cons)
        number, index = self._taken, self._ring.index(self._cons)
        q0, q1 = await cpu.load_words(slot, ENTRY_WORDS, f"PRIQ[{index}]")
        entry = decode(q0, q1)
        self._cons = self._ring.next(self._cons)
        self._taken += 1
        await cpu.store(self._registers.PRIQ_CONS, self._cons, "PRIQ_CONS")
        await self.intake.take(cpu, number, entry)

    async def acknowledge(self, cpu: Cpu) -> None:
        """Copy OVFLG into OVACKFLG: only from then on the hardware queues requests again."""
        self._cons ^= OVERFLOW_FLAG
        await cpu.store(self._registers.PRIQ_CONS, self._cons, "PRIQ_CONS (acknowledge overflow)")
        cpu.emit(OverflowAcknowledged(queue="PRIQ"))


class PriResponses:
    """Page responses as commands: PRI_RESP without SYNC, since no SYNC would wait for it."""

    lane = "smmu"

    def __init__(self, sid: StreamId, cmdq: Cmdq) -> None:
        self._sid = sid
        self._cmdq = cmdq

    def code(self, code: ResponseCode) -> int:
        """Resp of PRI_RESP."""
        return PriResp[code.name]

    async def issue_response(
        self, cpu: Cpu, pasid: Pasid, prgi: Prgi, code: ResponseCode, published: Callable[[int], None]
    ) -> None:
        """Write the command."""
        command = commands.pri_resp(self._sid, pasid, prgi, PriResp[code.name])
        await self._cmdq.issue(cpu, command, published=published)
