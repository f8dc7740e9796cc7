"""An address space: page tables that a device walks, references to it, faults, and its end.

Only what a device can notice is modelled: `mm_users` (pins the page tables), the mmap lock, one VMA, and the order of
exit: notifier release first, pages freed after (smmuv3 §3.6).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from drivers.cpu import Cpu, Lock
from hw.bus import Asid, PhysAddr, VirtAddr
from hw.events.link import FRAMES
from hw.memory import FrameAllocator, Memory, mm_owner, owner_name
from hw.paging.aarch64 import PageTables

Notifier = Callable[[Any], Coroutine[Any, Any, None]]
RangeNotifier = Callable[[Any, VirtAddr, int], Coroutine[Any, Any, None]]
"""Told the first address of a range and the first one behind it."""
WHOLE = (VirtAddr(0), 2**64 - 1)
"""How a notifier is told that everything goes: 0 and all ones."""
PAGE_BYTES = 0x1000
_VALID = 1
"""The lowest bit of a present entry, on Arm and on x86."""


class Mm:
    """The address space of process `number` with one VMA of whole pages."""

    def __init__(
        self,
        memory: Memory,
        frames: FrameAllocator,
        number: int,
        pages: Sequence[VirtAddr],
        mmap_lock: Lock,
        tables: type[PageTables] = PageTables,
    ) -> None:
        """`tables` are those of the architecture; the device walks what the CPU walks."""
        self.number = number
        self.asid = Asid(number + 1)
        self.owner = mm_owner(number)
        self.name = owner_name(self.owner)
        self.pages = tuple(pages)
        self.users = 1
        self._release: Notifier | None = None
        self._invalidate: RangeNotifier | None = None
        self._memory = memory
        self._frames = frames
        self._lock = mmap_lock
        self._users = ("mm", number, "users")
        self.tables = tables(memory, frames, self.owner)
        self._leaf = {page: self.tables.leaf_address(page) for page in pages}

    def register(self, *, release: Notifier | None = None, invalidate: RangeNotifier | None = None) -> None:
        """mmu_notifier_register, before the world begins: who is told of its end, and of pages that go."""
        self._release = release or self._release
        self._invalidate = invalidate or self._invalidate

    def forget(self) -> None:
        """Its notifiers are gone: they know who else knows it."""
        self._release = self._invalidate = None

    async def get_not_zero(self, cpu: Cpu) -> bool:
        """Pin the page tables, unless their end has begun (mmget_not_zero)."""
        await cpu.access(f"mmget {self.name}", writes=(self._users,))
        if self.users == 0:
            return False
        self.users += 1
        return True

    async def put(self, cpu: Cpu) -> bool:
        """Drop a pin; True for whoever drops the last one, who must then run `exit_mmap`."""
        await cpu.access(f"mmput {self.name}", writes=(self._users,))
        self.users -= 1
        return self.users == 0

    async def handle_fault(self, cpu: Cpu, address: VirtAddr) -> bool:
        """Make a page present; False where there is no VMA. One PTE store, under the mmap lock."""
        leaf = self._leaf.get(address)
        if leaf is None:
            return False
        await cpu.lock(self._lock)
        if not await cpu.load(leaf, self._pte(address)) & _VALID:
            await cpu.access(f"allocate a page for {self.name}", writes=(FRAMES,))
            page = self._frames.allocate(self.owner)
            await cpu.store(leaf, self.tables.page_entry(page), self._pte(address))
        await cpu.unlock(self._lock)
        return True

    async def unmap(self, cpu: Cpu, address: VirtAddr, pages: int = 1, *, whole: bool = False) -> None:
        """munmap: PTEs first, then the secondary TLBs, then the pages are freed.

        `whole`: the notifier is told that everything goes, as when an mmu_gather stops counting.
        """
        end = address + pages * PAGE_BYTES
        await cpu.lock(self._lock)
        cleared = [await self.take_away(cpu, VirtAddr(page)) for page in range(address, end, PAGE_BYTES)]
        present = [page for page in cleared if page is not None]
        if present and self._invalidate is not None:
            await self._invalidate(cpu, *(WHOLE if whole else (address, end)))
        for page in present:
            await self.free(cpu, page)
        await cpu.unlock(self._lock)

    async def exit_mmap(self, cpu: Cpu) -> None:
        """The end of the address space: release callbacks while the page tables still stand, then the pages go."""
        if self._release is not None:
            await self._release(cpu)
        for address in self.pages:
            page = await self.take_away(cpu, address)
            if page is not None:
                await self.free(cpu, page)

    async def take_away(self, cpu: Cpu, address: VirtAddr) -> PhysAddr | None:
        """Clear the PTE of a page: the page, which nobody has freed yet, or None where there was none."""
        leaf = self._leaf[address]
        descriptor = await cpu.load(leaf, self._pte(address))
        if not descriptor & _VALID:
            return None
        await cpu.store(leaf, 0, self._pte(address))
        return PhysAddr(descriptor & 0x0000_FFFF_FFFF_F000)

    async def free(self, cpu: Cpu, page: PhysAddr) -> None:
        """Give a page back to the allocator; one step."""
        await cpu.access(f"free page {page:#x} of {self.name}", writes=(FRAMES,))
        self._frames.free(page)

    def _pte(self, address: VirtAddr) -> str:
        return f"PTE {address:#x} of {self.name}"
