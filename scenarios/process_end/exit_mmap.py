"""Seed 003: what exit_mmap does, in the kernel's order, under a device that works with the address space."""

from __future__ import annotations

from functools import partial

from actors.devices.device import Device
from actors.devices.stoppable_loop import CachedWriter
from actors.devices.virtual_dma import Reader, Writer
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.cpu import Cpu as KernelCpu
from drivers.kernel.memory.gather import EXITS
from drivers.vtd.mutants import ForgetsDeviceTlb, ForgetsIotlb
from drivers.vtd.pasid_table import PasidTable
from hw.vtd.state import Vtd

from ..boards.vtd import vtd_platform
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_walk_through_a_freed_table import NoWalkThroughAFreedTable
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.endpoint_works_in import EndpointWorksIn

PAGE = "no-dma-into-foreign-frame"
WALK = "no-walk-through-a-freed-table"
TEARDOWNS: dict[str, type[PasidTable]] = {
    "right": PasidTable,
    "forgets-iotlb": ForgetsIotlb,
    "forgets-device-tlb": ForgetsDeviceTlb,
}
DEVICES: dict[str, type[Device]] = {"write": Writer, "read": Reader, "ats": CachedWriter}
EXPECTED = (
    Expected(
        params={"order": "release-first"},
        verdict="holds",
        why="what release leaves reaches nothing: pages go behind it in batches, and page tables behind the pages",
    ),
    Expected(
        params={"order": "release-first", "watch": "walks"},
        verdict="holds",
        why="the flush of the tear-down has waited for every walk, so that nobody is on the way through a table",
    ),
    Expected(
        params={"order": "release-first", "batch": 1, "accesses": 2},
        verdict="holds",
        why="how many pages a batch has makes no difference to a device that is gone",
    ),
    Expected(
        params={"order": "release-behind-pages"},
        verdict="violated",
        oracle=PAGE,
        why="the gather flushes the CPUs' TLBs, not the IOMMU's: pages are freed that the device still reaches",
    ),
    Expected(
        params={"order": "release-last", "watch": "walks"},
        leaves=("FIRST_LEVEL_P",),
        verdict="violated",
        oracle=WALK,
        why="the page tables, too: a walk that is under way goes on through a freed one",
    ),
    Expected(
        params={"order": "release-first", "teardown": "forgets-iotlb"},
        verdict="holds",
        why="the device's answer to the device-TLB invalidation comes behind its posted writes, which so are through",
    ),
    Expected(
        params={"order": "release-first", "traffic": "read"},
        verdict="holds",
        why="an answer pushes no read: it is the IOTLB's invalidation that waits for those",
    ),
    Expected(
        params={"order": "release-first", "teardown": "forgets-iotlb", "traffic": "read"},
        verdict="violated",
        oracle=PAGE,
        why="the entry is gone, but nobody waits for the access that has found it before",
    ),
    Expected(
        params={"order": "release-first", "teardown": "forgets-iotlb", "traffic": "read", "watch": "walks"},
        verdict="violated",
        oracle=WALK,
        why="nor for its walk, which comes to a table that free_pgtables has taken away",
    ),
    Expected(
        params={"order": "release-first", "traffic": "ats"},
        verdict="holds",
        why="release waits for the device's own TLB, too",
    ),
    Expected(
        params={"order": "release-first", "traffic": "ats", "teardown": "forgets-device-tlb"},
        verdict="violated",
        oracle=PAGE,
        why="a translated write asks no table: only a device-TLB invalidation keeps it from a page of the batch",
    ),
)


class ExitMmap(Parameters):
    """When release is called, what it makes the IOMMU forget, and what the device does."""

    order = one_of(*EXITS, default="release-first", meaning="when exit_mmap calls the release callback")
    teardown = one_of(*TEARDOWNS, default="right", meaning="what the release callback makes the IOMMU forget")
    traffic = one_of(*DEVICES, default="write", meaning="untranslated accesses, or translation requests and ATC")
    accesses = number(1, 3, default=1, meaning="of the device, to both pages")
    batch = number(1, 2, default=2, meaning="pages that the gather holds before it flushes")
    watch = one_of("pages", "walks", default="pages", meaning="what is looked at: accesses to pages, or walks")


@scenario(
    ExitMmap,
    source="seed 003: L. Baolu, May 2020, its drawing of a process's exit, which has intel_invalidate_range and "
    "tlb_finish_mmu ahead of release: a sketch. In the kernel release comes first, and once it is over no range "
    "notifier is called (smmuv3 §3.6, vtd-pcie §3.1); so it is here",
    expected=EXPECTED,
)
def exit_mmap(world: World, given: ExitMmap) -> None:
    """A process dies while its device writes to its two pages: release, pages in batches, then page tables."""
    board = vtd_platform(
        world,
        device=DEVICES[given.traffic],
        requests=1,
        group=2,
        repeats=given.accesses,
        announces=False,
        contexts=TEARDOWNS[given.teardown],
        hardware=partial(Vtd, report_walks=given.watch == "walks"),
    )
    board.make_present(world)
    mm = board.mm_a

    async def release(cpu: KernelCpu) -> None:
        await board.contexts.quiet(cpu, board.bond)

    end = EXITS[given.order](mm, world.frames, release, given.batch)

    async def process(cpu: Cpu) -> None:
        if await mm.put(cpu):
            await end.run(cpu)

    world.add_actor("device", board.device.engine, daemon=True, hardware=True)
    world.add_actor("device.link", board.device.receiver, daemon=True, hardware=True)
    board.units.add(world, ats=given.traffic != "write")
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("process", process)
    world.check(NoDmaIntoForeignFrame() if given.watch == "pages" else NoWalkThroughAFreedTable())
    world.expect(EndpointWorksIn("address space", mm.name))
