"""Ways to block the translation of a whole stream (smmuv3 §2.1, §2.2)."""

from __future__ import annotations

from collections.abc import Callable

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES
from hw.smmuv3 import LANE, commands, ste
from hw.smmuv3.ste import AtsMode, StreamConfig, ste_address

from ..cpu import Cpu
from ..kernel.blocking import FunctionChanged, rewrite
from ..kernel.memory.pasid import Bond
from .contexts import StreamContexts


class BlockingContexts(StreamContexts):
    """On SMMUv3 the function is a stream."""

    async def abort(self, cpu: Cpu, bond: Bond) -> None:
        """STE.Config = abort."""
        await self._change(cpu, 0, lambda word: ste.Config.put(word, StreamConfig.ABORT), "Config = abort")

    async def refuse_ats(self, cpu: Cpu) -> None:
        """STE.EATS = 0."""
        await self._change(cpu, 1, lambda word: ste.EATS.put(word, AtsMode.REFUSED), "EATS = 0")

    async def _change(self, cpu: Cpu, word: int, change: Callable[[int], int], what: str) -> None:
        where = PhysAddr(ste_address(self._streams, self._sid) + word * WORD_BYTES)
        await rewrite(cpu, where, change, FunctionChanged(entry=f"STE[{self._sid}]", what=what, target=LANE))
        await self._cmdq.issue_sync(cpu, commands.cfgi_ste(self._sid))


class KeepsAtc(BlockingContexts):
    """BUG: blocks what the SMMU looks up and leaves the device its own TLB, which nobody looks at (smmuv3 §2.2)."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """The ATC keeps what it has."""


ATC: dict[str, type[BlockingContexts]] = {"invalidated": BlockingContexts, "kept": KeepsAtc}
"""What becomes of the device's own TLB."""
