"""The global error interrupt: what software does about a command queue that has stopped (smmuv3 §1.5, §1.6).

The commands that are queued stay where they are: the one at fault becomes a CMD_SYNC, or is tried again, and then the
error is acknowledged, from which moment the SMMU looks at the slot that CONS selects once more.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.events.event import Arrow, Event
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import Cerror
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import CMDQ_CONS_ERR, CMDQ_ERR, Registers, active_errors

from ..cpu import Cpu, Interrupt


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandErrorSeen(Event):
    """Software read why the command queue stopped."""

    error: str

    def _label(self) -> str:
        return f"CMDQ error: CERROR_{self.error}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorsAcknowledged(Arrow):
    """Software made GERRORN equal to the GERROR that it had read."""

    target: str

    def _label(self) -> str:
        return "GERRORN = GERROR"


class ErrorHandler:
    """Acknowledges behind the repair, so that the SMMU finds it when it goes on."""

    def __init__(self, registers: Registers, ring: Ring, irq: Interrupt) -> None:
        self._registers = registers
        self._ring = ring
        self._irq = irq

    async def thread(self, cpu: Cpu) -> None:
        """Wait for the interrupt, see to what is active, acknowledge."""
        registers = self._registers
        while True:
            await self._irq.take(cpu)
            gerror = await cpu.load(registers.GERROR, "GERROR")
            active = active_errors(gerror, await cpu.load(registers.GERRORN, "GERRORN"))
            if active & CMDQ_ERR.mask:
                await self.repair(cpu)
            if active:
                await self.acknowledge(cpu, gerror)

    async def acknowledge(self, cpu: Cpu, gerror: int) -> None:
        """What was read, and not what GERROR says by now: a later error is not to be missed."""
        await cpu.store(self._registers.GERRORN, gerror, "GERRORN")
        cpu.emit(ErrorsAcknowledged(target=LANE))

    async def repair(self, cpu: Cpu) -> None:
        """What the code in CMDQ_CONS asks for; the queue stands still meanwhile."""
        cons = await cpu.load(self._registers.CMDQ_CONS, "CMDQ_CONS")
        error = Cerror(CMDQ_CONS_ERR.get(cons))
        cpu.emit(CommandErrorSeen(error=error.name))
        match error:
            case Cerror.ILL:
                await self.replace(cpu, cons)
            case Cerror.ATC_INV_SYNC:
                await self.sync_failed(cpu, cons)
            case _:
                pass  # a fetch that was aborted is tried again

    async def replace(self, cpu: Cpu, cons: int) -> None:
        """A command that the SMMU does not know becomes a CMD_SYNC, which is never wrong; others wait behind it."""
        words = commands.encode(commands.cmd_sync())
        await cpu.store_words(self._ring.slot(cons), words, f"CMDQ[{self._ring.index(cons)}] = CMD_SYNC instead")

    async def sync_failed(self, cpu: Cpu, cons: int) -> None:
        """An ATC_INV was not answered in time; the CMD_SYNC is tried again and will succeed, which tells nobody."""
