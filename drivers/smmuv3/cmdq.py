"""Issuing commands under one spin lock (smmuv3 §3.1); without one, several CPUs do as `cmdq_lock_free`."""

from __future__ import annotations

from collections.abc import Callable

from hw.smmuv3 import commands
from hw.smmuv3.commands import Command, SyncSignal
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers

from ..cpu import Cpu, Lock


class Cmdq:
    """The software side of the command queue, with a copy of CONS that is read again only when the queue looks full."""

    def __init__(self, registers: Registers, ring: Ring, lock: Lock, first: int = 0) -> None:
        """`first` is the number of its first command: several queues of one SMMU number theirs apart."""
        self._registers = registers
        self._ring = ring
        self._lock = lock
        self._prod = 0
        self._cons = 0
        self._issued = first

    async def issue(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """Write commands and ring the doorbell; they are neither consumed nor complete when it returns.

        `published` is called in the step that rings the doorbell, with the number of the first command (counted over
        the life of the queue).
        """
        await cpu.lock(self._lock)
        first = self._issued
        for command in batch:
            await self._write(cpu, command)
        await self.ring_doorbell(cpu)
        if published is not None:
            published(first)
        await cpu.unlock(self._lock)

    async def issue_sync(self, cpu: Cpu, *batch: Command, published: Callable[[int], None] | None = None) -> None:
        """Issue a batch and a CMD_SYNC behind it, and wait until the SYNC has zeroed its own slot (an MSI write).

        A busy wait, as the mm's notifiers may not sleep. Who waits through a whole lap of the queue finds his slot used
        again, so the queue is longer than any wait. `published` as in `issue`.
        """
        await cpu.lock(self._lock)
        first = self._issued
        for command in batch:
            await self._write(cpu, command)
        slot = self._ring.slot(self._prod)
        await self._write(cpu, commands.cmd_sync(SyncSignal.IRQ, slot))
        await self.ring_doorbell(cpu)
        if published is not None:
            published(first)
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

    async def commands_written(self, cpu: Cpu) -> None:
        """The SMMU reads commands once it sees PROD, so they must be in memory by then."""
        await cpu.dma_wmb()

    async def ring_doorbell(self, cpu: Cpu) -> None:
        """Write PROD, under the lock."""
        await self.commands_written(cpu)
        await cpu.store(self._registers.CMDQ_PROD, self._prod, "CMDQ_PROD")
