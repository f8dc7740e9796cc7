"""The PRI thread's hands on SMMUv3: entries are taken from the PRIQ, and answers are commands (smmuv3 §4.4)."""

from __future__ import annotations

from collections.abc import Callable

from hw.bus import Pasid, Prgi, StreamId
from hw.pcie.tlp import ResponseCode
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import PriResp
from hw.smmuv3.priq import decode
from hw.smmuv3.queues import Ring, overflow_pending
from hw.smmuv3.registers import Registers

from ..cpu import Cpu, Interrupt, Lock
from ..kernel.faults.page_requests import Intake
from .cmdq import Cmdq
from .queue_thread import QueueThread


class PriQueue(QueueThread):
    """The PRI thread's side of the PRIQ: step (3) of seed 000."""

    def __init__(self, registers: Registers, ring: Ring, irq: Interrupt, lock: Lock, intake: Intake) -> None:
        super().__init__("PRIQ", registers.PRIQ_PROD, registers.PRIQ_CONS, ring, irq)
        self.intake = intake
        self._lock = lock

    async def drain(self, cpu: Cpu) -> None:
        """Take all that is queued."""
        await self.take_all(cpu)

    async def take_all(self, cpu: Cpu) -> int:
        """Take entries until the queue is seen empty; how many. Whoever runs it keeps everybody else out of the queue.

        PROD is read again whenever the entries seen so far are used up: the interrupt fires only on the edge from
        empty, so an entry that arrives meanwhile announces itself to nobody (race SMMU-R01).
        """
        await cpu.lock(self._lock)
        before = self._taken
        while True:
            prod = await self._look(cpu)
            if overflow_pending(prod, self._cons) and self.may_recover(prod):
                await self.intake.iopf.discard_partial(cpu, None)
                await self.acknowledge(cpu)
            elif self._ring.empty(prod, self._cons):
                break
            while not self._ring.empty(prod, self._cons):
                await self.take(cpu)
        taken = self._taken - before
        await cpu.unlock(self._lock)
        return taken

    def may_recover(self, prod: int) -> bool:
        """After an overflow: drain, discard partials, then acknowledge, in this order (SMMU-R07)."""
        return self._ring.empty(prod, self._cons)

    async def take(self, cpu: Cpu) -> None:
        """Hand it on; its slot is free by then, as a response gives the device a credit."""
        number, (q0, q1) = await self._next(cpu)
        await self.intake.take(cpu, number, decode(q0, q1))


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
        """Write the PRI_RESP."""
        command = commands.pri_resp(self._sid, pasid, prgi, PriResp[code.name])
        await self._cmdq.issue(cpu, command, published=published)
