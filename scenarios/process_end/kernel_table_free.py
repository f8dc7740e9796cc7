"""Races VTD-R31 and SMMU-R41: the kernel frees a page of its own page tables, which an SVA device's walks still use."""

from __future__ import annotations

from functools import partial

from actors.devices.job import Job
from actors.devices.virtual_dma import Reader
from actors.runtime.world import Cpu, World
from drivers.cpu import Cpu as KernelCpu
from drivers.kernel.memory.kernel_tables import STAGES
from hw.bus import PhysAddr
from hw.memory import mm_owner
from hw.tlb import pages_from
from hw.vtd.descriptors import pasid_iotlb
from hw.vtd.iotlb import Iotlb
from hw.vtd.state import Vtd

from ..boards.kernel_half import ADDRESS, LEVELS, forged_entry, kernel_half
from ..boards.vtd import vtd_platform
from ..oracles.no_mark_in_a_freed_table import NoMarkInAFreedTable
from ..oracles.no_walk_through_a_freed_table import NoWalkThroughAFreedTable
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.walk_uses_a_table import WalkUsesATable

WALK = "no-walk-through-a-freed-table"
MARK = "no-mark-in-a-freed-table"
EXPECTED = (
    Expected(
        params={"fix": "none"},
        verdict="violated",
        oracle=WALK,
        why="no notifier tells of kernel memory: the cached upper entry leads the walk into the page's next owner",
    ),
    Expected(
        params={"fix": "none", "freed": "upper", "watch": "marks"},
        verdict="violated",
        oracle=MARK,
        why="what looks like an entry there gets its accessed bit, though the request is refused at the leaf",
    ),
    Expected(
        params={"fix": "none", "watch": "marks"},
        verdict="holds",
        why="a last-level entry of a refused request is not used, so that nothing is written into such a page",
    ),
    Expected(
        params={"fix": "deferred"},
        verdict="violated",
        oracle=WALK,
        why="to free it later is no help: no time makes the cache forget",
    ),
    Expected(
        params={"fix": "flush-late"},
        verdict="violated",
        oracle=WALK,
        why="a walk comes between free and flush",
    ),
    Expected(
        params={"fix": "flush-early", "accesses": 2},
        leaves=("SUPERVISOR_PAGE",),
        verdict="violated",
        oracle=WALK,
        why="a walk behind the flush fills the cache again, through the entry that is not cleared yet",
    ),
    Expected(
        params={"fix": "flush-leaves"},
        verdict="violated",
        oracle=WALK,
        why="an invalidation that says leaves only (IH) leaves the upper entry where it is",
    ),
    Expected(
        params={"fix": "sva-off"},
        verdict="vacuous",
        why="72f98ef9a4be: as long as x86 has no SVA, no device walks the kernel's half",
    ),
    Expected(
        params={"fix": "deferred-flush", "accesses": 2},
        verdict="holds",
        why="e37d5a2d60a3: the entry is cleared, all SVA address spaces are flushed, and then the page is freed",
    ),
    Expected(
        params={"fix": "deferred-flush", "freed": "upper", "accesses": 2},
        verdict="holds",
        why="the same for a table further up, which nothing is written into either",
    ),
    Expected(
        params={"fix": "none", "cache": "none"},
        verdict="violated",
        oracle=WALK,
        why="a walk that is under way has the address of the table already, whatever a unit caches",
    ),
    Expected(
        params={"fix": "deferred-flush", "cache": "none"},
        verdict="holds",
        why="the flush waits for walks that are under way",
    ),
)


class KernelTableFree(Parameters):
    """What the kernel does for the IOMMU, which table it frees, and what the device does."""

    fix = one_of(*STAGES, "sva-off", default="none", meaning="what is done for the IOMMU before the page is freed")
    freed = one_of(*LEVELS, default="leaves", meaning="what the page has: last-level entries, or those above them")
    accesses = number(1, 2, default=1, meaning="reads of the device, at an address in the kernel's half")
    cache = one_of("upper", "none", default="upper", meaning="whether the unit caches upper entries, and has these")
    watch = one_of(
        "walks", "marks", default="walks", meaning="what is looked at: walks through the page, or bits set in it"
    )


@scenario(
    KernelTableFree,
    source="e37d5a2d60a3 (October 2025, CVE-2025-71202): iommu/sva: invalidate stale IOTLB entries for kernel address "
    "space; 72f98ef9a4be: SVA disabled on x86 meanwhile (VTD-R31, SMMU-R41)",
    expected=EXPECTED,
)
def kernel_table_free(world: World, given: KernelTableFree) -> None:
    """A device reads at a kernel address, which its walks refuse at the leaf, while the kernel unmaps that."""
    board = vtd_platform(
        world,
        device=Reader,
        jobs=lambda mm_a, mm_b: [Job(0, [ADDRESS])],
        repeats=given.accesses,
        hardware=partial(Vtd, report_walks=True, iotlb=Iotlb(upper_capacity=4 if given.cache == "upper" else 0)),
    )
    half = kernel_half(world, board, LEVELS[given.freed], cached=given.cache == "upper")

    async def flush(cpu: KernelCpu) -> None:
        await board.contexts.invalidate_iotlb(cpu, board.bond)

    async def flush_leaves(cpu: KernelCpu) -> None:
        leaves = pasid_iotlb(board.contexts.did(board.bond), board.bond.pasid, pages_from(ADDRESS, 1), hint=True)
        await board.qi.submit(cpu, leaves)

    async def next_owner(cpu: Cpu) -> None:
        owner = mm_owner(1)
        await cpu.wait(
            "the table page is free",
            lambda: not world.memory.owner_of(half.page),
            reads=(("frames",),),
            writes=(("frames",), ("word", half.entry)),
        )
        page = world.frames.allocate(owner)
        world.memory.write(PhysAddr(page + half.entry % 4096), forged_entry(world, owner))

    if given.fix != "sva-off":
        world.add_actor("device", board.device.engine, daemon=True, hardware=True)
        world.add_actor("device.link", board.device.receiver, daemon=True, hardware=True)
    board.units.add(world)
    world.add_actor("kernel", STAGES.get(given.fix, STAGES["none"])(half, world.frames, flush, flush_leaves).run)
    world.add_actor("next owner", next_owner)
    world.check(NoWalkThroughAFreedTable() if given.watch == "walks" else NoMarkInAFreedTable())
    world.expect(WalkUsesATable())
