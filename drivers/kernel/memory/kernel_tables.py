"""Kernel memory goes away, and a page of page tables with it, which every process's tables lead to (VTD-R31).

No notifier is called for the kernel's half of an address space, so an IOMMU hears only what is done here for it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from drivers.cpu import Cpu
from drivers.events.tables import TableFreed
from hw.bus import PhysAddr
from hw.events.link import FRAMES
from hw.memory import FrameAllocator

Flush = Callable[[Cpu], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelTable:
    """One page of page tables: where the entry lies that leads to it, and which entry of it a walk looks at."""

    parent: PhysAddr
    page: PhysAddr
    entry: PhysAddr


class FreesKernelTable:
    """As in January 2026: the page waits for a worker, who flushes the IOTLBs of all SVA address spaces and frees it.

    The flush comes behind the clearing of the entry above, so that nothing can be cached again, and before the free.
    """

    def __init__(self, table: KernelTable, frames: FrameAllocator, flush: Flush, flush_leaves: Flush) -> None:
        """`flush` waits until no IOTLB and no paging-structure cache has anything of an SVA address space;
        `flush_leaves` says that only leaves have changed (IH).
        """
        self._table = table
        self._frames = frames
        self.flush = flush
        self.flush_leaves = flush_leaves

    async def run(self, cpu: Cpu) -> None:
        """vfree and the like: the mapping goes, the CPUs' TLBs are flushed, the table has no user left."""
        await self.unlink(cpu)
        await self.defer(cpu)

    async def unlink(self, cpu: Cpu) -> None:
        """The entry above := 0."""
        await cpu.store(self._table.parent, 0, "the kernel's entry above = 0")

    async def defer(self, cpu: Cpu) -> None:
        """Who unmaps may not wait for an IOMMU."""
        await cpu.spawn("kernel_pgtable_work", self.work)

    async def work(self, cpu: Cpu) -> None:
        """Flush, then free."""
        await self.flush(cpu)
        await self.free(cpu)

    async def free(self, cpu: Cpu) -> None:
        """From here the page is anybody's."""
        entry = self._table.entry
        await cpu.access("free the table page", writes=(FRAMES, ("word", entry)))
        self._frames.free(self._table.page)
        cpu.emit(TableFreed(page=self._table.page, words=(entry,)))


class FreesAtOnce(FreesKernelTable):
    """BUG: nobody tells the IOMMU, whose paging-structure cache leads to the page for ever (CVE-2025-71202)."""

    async def defer(self, cpu: Cpu) -> None:
        """Nobody waits."""
        await self.free(cpu)


class OnlyDefers(FreesKernelTable):
    """BUG: a worker frees it later, and the cache is as stale as before."""

    async def work(self, cpu: Cpu) -> None:
        """No flush."""
        await self.free(cpu)


class FlushesTooLate(FreesKernelTable):
    """BUG: a walk comes through the page between free and flush."""

    async def work(self, cpu: Cpu) -> None:
        """The other way round."""
        await self.free(cpu)
        await self.flush(cpu)


class FlushesTooEarly(FreesKernelTable):
    """BUG: a walk fills the cache again through the entry that is still there."""

    async def run(self, cpu: Cpu) -> None:
        """Flush, then unlink."""
        await self.flush(cpu)
        await FreesKernelTable.run(self, cpu)

    async def work(self, cpu: Cpu) -> None:
        """It is flushed."""
        await self.free(cpu)


class FlushesLeaves(FreesKernelTable):
    """BUG: the invalidation says that only leaves have changed (IH), and upper entries stay cached."""

    async def work(self, cpu: Cpu) -> None:
        """As for a range that a user unmaps."""
        await self.flush_leaves(cpu)
        await self.free(cpu)


STAGES: dict[str, type[FreesKernelTable]] = {
    "none": FreesAtOnce,
    "deferred": OnlyDefers,
    "flush-late": FlushesTooLate,
    "flush-early": FlushesTooEarly,
    "flush-leaves": FlushesLeaves,
    "deferred-flush": FreesKernelTable,
}
