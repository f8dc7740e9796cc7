"""The driver without one of its barriers (smmuv3 §3.1, §3.2, §4.4)."""

from __future__ import annotations

from ..cpu import Cpu
from .cmdq import Cmdq
from .cmdq_lock_free import LockFreeCmdq
from .contexts import StreamContexts
from .priq import PriQueue


class CommandsUnordered(Cmdq):
    """BUG: PROD can be seen ahead of the commands, so the SMMU reads what was in their slots before."""

    async def commands_written(self, cpu: Cpu) -> None:
        """Nothing."""


class LockFreeCommandsUnordered(LockFreeCmdq):
    """BUG: a slot can be seen valid ahead of its command, so its owner publishes what was there before."""

    async def commands_written(self, cpu: Cpu) -> None:
        """Nothing."""


class HandsOverUnordered(LockFreeCmdq):
    """BUG: whose turn it is can be seen ahead of PROD, so the next owner's PROD may be overtaken by this one."""

    async def hand_over(self, cpu: Cpu, end: int) -> None:
        """A plain store."""
        await cpu.store(self._words.owner_prod, end, "owner_prod")


class EntriesReadEarly(PriQueue):
    """BUG: an entry may be read before PROD was, so it is the one of the lap before, or none."""

    async def prod_read(self, cpu: Cpu) -> None:
        """Nothing."""


class EntriesReadLate(PriQueue):
    """BUG: CONS may be seen ahead of the read, so the entry may be the one that the SMMU writes there next."""

    async def entry_read(self, cpu: Cpu) -> None:
        """Nothing."""


class ValidEarly(StreamContexts):
    """BUG: a CD can be seen valid ahead of its other words, so the SMMU walks what they held before."""

    async def all_but_v_written(self, cpu: Cpu) -> None:
        """Nothing."""
