"""The kernel's half of a process's page tables on the VT-d board: tables that all processes share, without U/S."""

from __future__ import annotations

from actors.runtime.world import World
from drivers.kernel.memory.kernel_tables import KernelTable
from hw.bus import PhysAddr, VirtAddr
from hw.memory import KERNEL
from hw.paging.walks import descriptor_address
from hw.paging.x86 import US, A, Reached, page_entry, table_entry

from .vtd import VtdPlatform

ADDRESS = VirtAddr(0xFFFF_8880_0010_0000)
"""Somewhere that the kernel has mapped."""
LEVELS = {"leaves": 3, "upper": 2}
"""The level of a table, by what its entries are."""


def kernel_half(world: World, board: VtdPlatform, level: int, *, cached: bool) -> KernelTable:
    """Map `ADDRESS` for the kernel alone; what is told is the table of `level` on the way to it.

    `cached`: an access of the device has been there, and its paging-structure cache has the way down to that table.
    """
    memory, root = world.memory, board.mm_a.tables.root
    tables = [root, *(world.frames.allocate(KERNEL) for _ in range(3))]
    where = [descriptor_address(table, ADDRESS, number) for number, table in enumerate(tables)]
    for number in range(3):
        memory.write(where[number], table_entry(tables[number + 1]) & ~US.mask)
    memory.write(where[3], page_entry(world.frames.allocate(KERNEL), user=False))
    if cached:
        trail = [Reached(level=number, table=tables[number], user=False) for number in range(1, level + 1)]
        did, pasid = board.contexts.did(board.bond), board.bond.pasid
        board.units.vtd.iotlb.fill_upper(did, pasid, ADDRESS, trail)
    return KernelTable(parent=where[level - 1], page=tables[level], entry=where[level])


def forged_entry(world: World, owner: int) -> int:
    """What the page's next owner writes where an entry was: one that leads to a page of its own, not yet accessed."""
    return table_entry(PhysAddr(world.frames.allocate(owner))) & ~A.mask
