"""The command queue as attach flows use it: a batch, a CMD_SYNC behind it, and the wait for that (smmuv3 §3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hw.bus import Asid
from hw.smmuv3.commands import Command
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers

from ...cpu import Cpu, Lock, QueueTail
from ..cmdq import Cmdq


class Invalidations(Protocol):
    """What takes a batch, and says when it is complete."""

    async def sync(self, cpu: Cpu, *batch: Command, asids: Sequence[Asid] = ()) -> None:
        """Return when nothing uses what the batch names; `asids` are those whose CDs it may take away."""
        ...


class AttachCmdq(Cmdq):
    """Moves of PROD are numbered, as several threads issue: none of them races with what the SMMU has yet to take."""

    def __init__(self, registers: Registers, ring: Ring, lock: Lock, prod: QueueTail, first: int = 0) -> None:
        super().__init__(registers, ring, lock, first)
        self._tail = prod
        self.concerned: dict[int, tuple[Asid, ...]] = {}
        """Ghost, by the number of a command or CMD_SYNC: the ASIDs whose CDs its batch may take away from the SMMU."""

    async def sync(self, cpu: Cpu, *batch: Command, asids: Sequence[Asid] = ()) -> None:
        """As `Invalidations` has it."""

        def published(first: int) -> None:
            for number in range(first, first + len(batch) + 1):
                self.concerned[number] = tuple(asids)

        await self.issue_sync(cpu, *batch, published=published)

    async def ring_doorbell(self, cpu: Cpu) -> None:
        """The next move."""
        await self.commands_written(cpu)
        await self._tail.move(cpu, self._prod)


class QueueEach:
    """A queue for each thread, by the thread's name: as one for all, without the waits behind what others issued."""

    def __init__(self, queues: Mapping[str, Invalidations]) -> None:
        self._queues = queues

    async def sync(self, cpu: Cpu, *batch: Command, asids: Sequence[Asid] = ()) -> None:
        """Into the own one."""
        await self._queues[cpu.name].sync(cpu, *batch, asids=asids)
