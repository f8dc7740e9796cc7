"""Ways to block the translation of a whole function by its context entry (vtd-pcie §2.1, §2.2)."""

from __future__ import annotations

from collections.abc import Callable

from hw.vtd import LANE, context
from hw.vtd.context import context_address
from hw.vtd.descriptors import ContextGranularity, ContextInvalidate

from ..cpu import Cpu
from ..kernel.blocking import FunctionChanged, rewrite
from ..kernel.memory.pasid import Bond
from .pasid_table import PasidTable


class BlockingPasidTable(PasidTable):
    """On VT-d the function has a context entry, whose first word says both whether it is there and whether it may ask.

    An absent PASID entry needs nothing new: it is what every tear-down leaves.
    """

    async def abort(self, cpu: Cpu, bond: Bond) -> None:
        """P=0; what is cached of PASID entries is behind it and goes after it (vtd-pcie §2.1)."""
        await self._change(cpu, lambda word: context.P.put(word, 0), "P = 0")
        await self.forget_entry(cpu, bond)

    async def refuse_ats(self, cpu: Cpu) -> None:
        """DTE=0."""
        await self._change(cpu, lambda word: context.DTE.put(word, 0), "DTE = 0")

    async def _change(self, cpu: Cpu, change: Callable[[int], int], what: str) -> None:
        where = context_address(self._functions, self._sid)
        await cpu.lock(self._lock)
        await rewrite(cpu, where, change, FunctionChanged(entry=f"context[{self._sid}]", what=what, target=LANE))
        await self.unlock(cpu)
        await self._qi.submit(cpu, ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=self._sid))


class KeepsDeviceTlb(BlockingPasidTable):
    """BUG: the same on VT-d, which does not look at a translated address either (vtd-pcie §2.2)."""

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """The device TLB keeps what it has."""


VTD_ATC: dict[str, type[BlockingPasidTable]] = {"invalidated": BlockingPasidTable, "kept": KeepsDeviceTlb}
"""What becomes of the device's own TLB."""
