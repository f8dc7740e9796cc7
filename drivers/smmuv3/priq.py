"""The PRI thread's hands on SMMUv3: entries are taken from the PRIQ, and answers are commands (smmuv3 §4.4)."""

from __future__ import annotations

from collections.abc import Callable

from hw.bus import Pasid, Prgi, StreamId
from hw.pcie.tlp import ResponseCode
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import PriResp
from hw.smmuv3.priq import ENTRY_WORDS, decode
from hw.smmuv3.queues import OVERFLOW_FLAG, Ring, overflow_pending
from hw.smmuv3.registers import Registers

from ..cpu import Cpu, Interrupt, Lock
from ..events.faults import OverflowAcknowledged
from ..kernel.faults.page_requests import Intake
from .cmdq import Cmdq


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

    lane = LANE
    response = "PRI_RESP"

    def __init__(self, sid: StreamId, cmdq: Cmdq) -> None:
        self._sid = sid
        self._cmdq = cmdq

    def code(self, code: ResponseCode) -> int:
        """The Resp field of PRI_RESP."""
        return PriResp[code.name]

    async def issue_response(
        self, cpu: Cpu, pasid: Pasid, prgi: Prgi, code: ResponseCode, published: Callable[[int], None]
    ) -> None:
        """Write the command."""
        command = commands.pri_resp(self._sid, pasid, prgi, PriResp[code.name])
        await self._cmdq.issue(cpu, command, published=published)
