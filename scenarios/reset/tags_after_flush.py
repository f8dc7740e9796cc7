"""Seed 001: a change of translation, or a flush of the ATC, does not invalidate a device's page request tags."""

from __future__ import annotations

from actors.devices.device import Device
from actors.devices.prefetcher import ForgetsTagsOnFlush, Prefetcher
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from hw.bus import VirtAddr
from hw.pcie.pri import TagForgettingPri

from ..boards.platform import iommu_with, platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.flush_meets_a_request import FlushMeetsARequest

CORRUPT = "no-old-answer-for-a-new-request"
EXPECTED = (
    Expected(
        params={"tags": "forgotten"},
        verdict="violated",
        oracle=CORRUPT,
        why="the device gives a tag again whose first request is still with the host, which knows of no reset",
    ),
    Expected(
        params={"tags": "kept"},
        verdict="holds",
        why="an open group stays open until it is answered, whatever happens to translations: no drain is needed",
    ),
    Expected(
        params={"tags": "forgotten", "iommu": "vtd"},
        verdict="violated",
        oracle=CORRUPT,
        why="tags are the device's own, whichever IOMMU is between",
    ),
    Expected(
        params={"tags": "kept", "iommu": "vtd"},
        verdict="holds",
        why="the same on VT-d",
    ),
)
DEVICES: dict[str, type[Device]] = {"kept": Prefetcher, "forgotten": ForgetsTagsOnFlush}


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023: 'Change of translation, or flush of ATC, does not invalidate the "
    "tags'",
    expected=EXPECTED,
    tags=one_of(*DEVICES, default="forgotten", meaning="what becomes of a device's tags when its ATC is flushed"),
    iommu=iommu_with(),
)
def tags_after_flush(world: World, *, tags: str, iommu: str) -> None:
    """A device asks for one page after the other, while another CPU unmaps a third one."""
    board = platform(world, iommu, device=DEVICES[tags], requests=2, pri=TagForgettingPri)
    mm = board.mm_a
    mm.tables.map_now(mm.pages[1], world.frames.allocate(mm.owner))

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def unmap(cpu: Cpu) -> None:
        await mm.unmap(cpu, mm.pages[1])

    mm.register(invalidate=invalidate)
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("reclaim", unmap)
    world.check(NoOldAnswerForANewRequest(), EveryLastIsAnsweredOnce())
    world.expect(FlushMeetsARequest())
