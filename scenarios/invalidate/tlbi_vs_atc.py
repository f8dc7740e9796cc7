"""Race SMMU-R15: an ATC that is invalidated before the TLB can fetch the old translation again."""

from __future__ import annotations

from actors.devices.streamer import Streamer
from actors.runtime.world import Cpu, World
from hw.bus import VirtAddr

from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.goals import answer_between_invalidations
from ..witnesses.translation_is_taken_away import TranslationIsTakenAway

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
    Expected(
        params={"iommu": "vtd", "order": "atc-first"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="as on SMMUv3: the device asks again, and the IOTLB still has the page",
    ),
    Expected(
        params={"iommu": "vtd", "order": "one-sync"},
        verdict="holds",
        why="unlike SMMUv3, VT-d begins a device-TLB invalidation after the IOTLB invalidations ahead of it",
    ),
    Expected(
        params={"iommu": "vtd", "order": "tlbi-sync-atc"},
        verdict="holds",
        why="when the ATC is emptied there is nothing left that could fill it with the old page",
    ),
    Expected(
        params={"iommu": "vtd", "order": "one-sync", "tlb": "cold"},
        verdict="holds",
        why="a walk that read the PTE before it was cleared is waited for by the IOTLB invalidation",
    ),
)


@scenario(
    source="353e3cf8590c (August 2019): iommu/arm-smmu-v3: Fix ATC invalidation ordering wrt main TLBs",
    expected=EXPECTED,
    iommu=iommu_with("order"),
    order=one_of(*words_of("order"), default="atc-first", meaning="how a page is taken out of TLB and ATC"),
    tlb=one_of("warm", "cold", default="warm", meaning="whether the IOMMU has translated the page before"),
    accesses=number(1, 2, default=1, meaning="writes that the device makes, one after the other, to the page"),
)
def tlbi_vs_atc(world: World, *, iommu: str, order: str, tlb: str, accesses: int) -> None:
    """A page is taken away from a process while its device translates and writes to it."""
    board = platform(world, iommu, parts_of(iommu, order=order), device=Streamer, repeats=accesses)
    board.make_present(world, warm=tlb == "warm")

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def reclaim(cpu: Cpu) -> None:
        await board.mm_a.unmap(cpu, board.mm_a.pages[0])

    board.mm_a.register(invalidate=invalidate)
    board.add_hardware(world)
    world.add_actor("reclaim", reclaim)

    world.check(NoDmaIntoForeignFrame())
    world.expect(TranslationIsTakenAway())
    world.goal(answer_between_invalidations())
