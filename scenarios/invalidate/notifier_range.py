"""Races VTD-R29 and VTD-R30: mm says which pages are gone, and the IOMMU is told to forget others."""

from __future__ import annotations

from actors.devices.streamer import Streamer
from actors.runtime.world import Cpu, World
from drivers.kernel.notifier_ranges import RANGES

from ..boards.platform import iommu_with, platform
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import number, one_of
from ..scenario import scenario
from ..witnesses.translation_is_taken_away import TranslationIsTakenAway
from .notifier_range_verdicts import EXPECTED


@scenario(
    source="e7ad6c2a4b1a (November 2023): iommu/vt-d: Fix incorrect cache invalidation for mm notification; "
    "P. Jaroszynski, 2025 (fixes 6bbd42e2df8f): the range that arm64 passes on",
    expected=EXPECTED,
    iommu=iommu_with(),
    notifier=one_of(*RANGES, default="size-overflows", meaning="what the driver makes of the range it is told"),
    told=one_of("pages", "everything", default="everything", meaning="what mm says is gone: its range, or all"),
    pages=number(1, 2, default=1, meaning="pages that are taken away at once, each of which the device writes to"),
)
def notifier_range(world: World, *, iommu: str, notifier: str, told: str, pages: int) -> None:
    """Pages are taken away from a process while its device translates and writes to them."""
    board = platform(world, iommu, device=Streamer, requests=pages, group=1)
    board.make_present(world)

    async def reclaim(cpu: Cpu) -> None:
        await board.mm_a.unmap(cpu, board.mm_a.pages[0], pages, whole=told == "everything")

    board.mm_a.register(invalidate=RANGES[notifier](board.contexts, board.bond).invalidate)
    board.add_hardware(world)
    world.add_actor("reclaim", reclaim)

    world.check(NoDmaIntoForeignFrame())
    world.expect(TranslationIsTakenAway())
