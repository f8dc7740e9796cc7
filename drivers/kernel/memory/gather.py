"""exit_mmap with its mmu_gather, in the kernel's order (smmuv3 §3.6; vtd-pcie §3.1): pages and page tables are freed in
batches, each behind the flush of the CPUs' own TLBs; and release comes before all of it."""

from __future__ import annotations

from drivers.cpu import Cpu
from drivers.events.tables import TableFreed
from hw.bus import PhysAddr
from hw.events.link import FRAMES
from hw.memory import FrameAllocator
from hw.paging.aarch64 import OUTPUT_ADDRESS
from hw.paging.walks import LEAF_LEVEL, descriptor_address

from .mm import Mm, Notifier


class GatheredExit:
    """mmu_notifier_release, unmap_vmas, free_pgtables, tlb_finish_mmu. No notifier is called once release is over."""

    def __init__(self, mm: Mm, frames: FrameAllocator, release: Notifier, batch: int) -> None:
        """`batch` is how many pages the gather holds before it is flushed."""
        self._mm = mm
        self._frames = frames
        self._release = release
        self._batch = batch
        self._pages: list[PhysAddr] = []
        self._tables: list[tuple[PhysAddr, tuple[PhysAddr, ...]]] = []
        # Where the tables are changes with nothing that happens meanwhile, so nobody reads them for that then.
        self._way = self._to_the_leaves()

    async def run(self, cpu: Cpu) -> None:
        """By whoever drops the last pin."""
        await self.release(cpu)
        await self.unmap_vmas(cpu)
        await self.free_pgtables(cpu)
        await self.finish(cpu)

    async def release(self, cpu: Cpu) -> None:
        """The callbacks: no device reaches the address space when they return."""
        await self._release(cpu)

    async def unmap_vmas(self, cpu: Cpu) -> None:
        """Each PTE is cleared, and its page gathered; a full batch is flushed and freed."""
        for address in self._mm.pages:
            page = await self._mm.take_away(cpu, address)
            if page is not None:
                self._pages.append(page)
            if len(self._pages) == self._batch:
                await self.flush(cpu)

    async def free_pgtables(self, cpu: Cpu) -> None:
        """From the last level up: the entry above is cleared, and the table is gathered; the root stays (pgd_free)."""
        way = self._way
        for level in range(LEAF_LEVEL, 0, -1):
            await cpu.store(way[level - 1][1], 0, f"the entry above the tables of level {level} = 0")
            table = way[level][0]
            self._tables.append((table, tuple(self._words(table, level))))

    async def finish(self, cpu: Cpu) -> None:
        """tlb_finish_mmu."""
        await self.flush(cpu)

    async def flush(self, cpu: Cpu) -> None:
        """The CPUs' TLBs, which no device looks into; then what was gathered is anybody's."""
        await cpu.access("flush the CPUs' TLBs")
        pages, self._pages = self._pages, []
        for page in pages:
            await self._mm.free(cpu, page)
        tables, self._tables = self._tables, []
        for table, words in tables:
            await cpu.access(f"free a table page of {self._mm.name}", writes=(FRAMES, *(("word", w) for w in words)))
            self._frames.free(table)
            cpu.emit(TableFreed(page=table, words=words))

    def _to_the_leaves(self) -> list[tuple[PhysAddr, PhysAddr]]:
        """The tables from the root to the leaves, which all pages share, each with the entry that leads on."""
        table, address, way = self._mm.tables.root, self._mm.pages[0], []
        for level in range(LEAF_LEVEL + 1):
            where = descriptor_address(table, address, level)
            way.append((table, where))
            table = PhysAddr(self._mm.tables.memory.read(where) & OUTPUT_ADDRESS.mask)
        return way

    def _words(self, table: PhysAddr, level: int) -> list[PhysAddr]:
        """The entries of a table that walks for the address space look at."""
        return sorted({descriptor_address(table, address, level) for address in self._mm.pages})


class ReleasesBehindPages(GatheredExit):
    """BUG: pages are freed, behind a flush of the CPUs' TLBs alone, while a device still works in them."""

    async def run(self, cpu: Cpu) -> None:
        """unmap_vmas first."""
        await self.unmap_vmas(cpu)
        await self.finish(cpu)
        await self.release(cpu)
        await self.free_pgtables(cpu)
        await self.finish(cpu)


class ReleasesLast(GatheredExit):
    """BUG: also the page tables are freed before a device has let go of them; its walks go through them."""

    async def run(self, cpu: Cpu) -> None:
        """Everything before release."""
        await self.unmap_vmas(cpu)
        await self.free_pgtables(cpu)
        await self.finish(cpu)
        await self.release(cpu)


EXITS: dict[str, type[GatheredExit]] = {
    "release-first": GatheredExit,
    "release-behind-pages": ReleasesBehindPages,
    "release-last": ReleasesLast,
}
