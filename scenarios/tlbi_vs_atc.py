"""Race R15: an ATC that is invalidated before the TLB can fetch the old translation again."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from actors.streamer import Streamer
from drivers.invalidation_orders import ORDERS
from hw.aarch64 import page_descriptor
from hw.bus import Vmid

from .oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from .oracles.translation_is_taken_away import TranslationIsTakenAway
from .platform import Platform, platform
from .scenario import Expected, number, one_of, scenario

EXPECTED = (
    Expected(
        params={"order": "atc-first"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="after the ATC_INV the device asks again, and the TLB still has the page that is about to be freed",
    ),
    Expected(
        params={"order": "one-sync"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="two commands without a SYNC between them complete in any order",
    ),
    Expected(
        params={"order": "tlbi-sync-atc"},
        verdict="holds",
        why="when the ATC is emptied there is nothing left that could fill it with the old page",
    ),
    Expected(
        params={"order": "tlbi-sync-atc", "tlb": "cold"},
        verdict="holds",
        why="a walk that read the PTE before it was cleared is waited for by the SYNC",
    ),
    Expected(
        params={"order": "atc-first", "tlb": "cold"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="the device's own walk fills the TLB before the PTE is cleared",
    ),
)


@scenario(
    source="353e3cf8590c (August 2019): iommu/arm-smmu-v3: Fix ATC invalidation ordering wrt main TLBs",
    expected=EXPECTED,
    order=one_of(*ORDERS, default="atc-first", meaning="how a page is taken out of TLB and ATC"),
    tlb=one_of("warm", "cold", default="warm", meaning="whether the SMMU has translated the page before"),
    accesses=number(1, 2, default=1, meaning="writes that the device makes, one after the other, to the page"),
)
def tlbi_vs_atc(world: World, *, order: str, tlb: str, accesses: int) -> None:
    """A page is taken away from a process while its device translates and writes to it."""
    board = platform(
        world,
        device=Streamer,
        report=0,
        requests=1,
        group=1,
        priq_log2size=1,
        credits=1,
        put_async=True,
        contexts=ORDERS[order],
    )
    board.device.jobs *= accesses
    _make_present(world, board, warm=tlb == "warm")

    async def invalidate(cpu: Cpu) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def reclaim(cpu: Cpu) -> None:
        await board.mm_a.unmap(cpu, board.mm_a.pages[0])

    board.mm_a.invalidate = invalidate
    board.add_hardware(world)
    world.add_actor("reclaim", reclaim)

    world.check(NoDmaIntoForeignFrame())
    world.expect(TranslationIsTakenAway())


def _make_present(world: World, board: Platform, *, warm: bool) -> None:
    mm = board.mm_a
    page = world.frames.allocate(mm.owner)
    world.memory.write(mm.tables.leaf_address(mm.pages[0]), page_descriptor(page))
    if warm:
        smmu, ttb = board.units.smmu, mm.tables.root
        smmu.tlb.fill(asid=mm.asid, vmid=Vmid(0), address=mm.pages[0], page=page, readable=True, writable=True, ttb=ttb)
