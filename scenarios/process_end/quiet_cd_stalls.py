"""Race SMMU-R37: a process dies while its device works, and each of the device's accesses still stalls."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.events.faults import ReleaseReturned
from drivers.kernel.memory.objects import Object
from drivers.smmuv3.evtq import EventQueue
from drivers.smmuv3.quiet import QUIET
from drivers.smmuv3.stall_faults import ANSWERS
from hw.events.faults import stalls_resource

from ..boards.endpoint import PASID, SID
from ..boards.stalling import stall_board
from ..oracles.every_event_is_taken import EveryEventIsTaken
from ..oracles.every_stall_is_resumed import EveryStallIsResumed
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_stall_after_release import NoStallAfterRelease
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.dma_after_release import DmaAfterRelease
from ..witnesses.goals import stall_behind_quiet_context

EXPECTED = (
    Expected(
        params={"quiet": "stall", "accesses": 1},
        verdict="violated",
        oracle="no-stall-after-release",
        why="the CD has no page table any more and still says S=1: every access stalls, is recorded and resumed",
    ),
    Expected(
        params={"quiet": "abort"},
        verdict="holds",
        why="S=R=0: an access after the release is aborted without software; the SYNC waits for those before it",
    ),
    Expected(
        params={"quiet": "abort", "answer": "twice"},
        leaves=("F_TRANSLATION stalled",),
        verdict="violated",
        oracle="every-stall-is-resumed",
        why="the STAG is free after the first RESUME, so the second meets nothing, or somebody else's stall",
    ),
    Expected(
        params={"quiet": "abort", "early": 1, "evtq": 0},
        verdict="holds",
        why="an access that finds no room for its stall record waits for room and begins anew",
    ),
    Expected(
        params={"quiet": "abort", "early": 1, "accesses": 1},
        verdict="holds",
        why="an early retry sees the quiet CD and aborts, and its record is answered all the same",
    ),
)


class QuietCdStalls(Parameters):
    """What a dead process leaves behind in its CD, and how stalls are handled."""

    quiet = one_of(*QUIET, default="stall", meaning="what the CD of a dead process makes of an access")
    accesses = number(1, 3, default=2, meaning="writes that the device makes, one after the other")
    evtq = number(0, 2, default=1, meaning="log2 of the event queue's entries")
    early = number(0, 1, default=0, meaning="whether the SMMU may retry a stalled access by itself")
    answer = one_of(*ANSWERS, default="once", meaning="how often the fault code resumes a stall")


@scenario(
    QuietCdStalls,
    source="b41932f54458 (December 2023): iommu/arm-smmu-v3-sva: disable stall for quiet CD",
    expected=EXPECTED,
)
def quiet_cd_stalls(world: World, given: QuietCdStalls) -> None:
    """A process is killed while its device writes to pages that are not present."""
    board = stall_board(
        world,
        accesses=given.accesses,
        log2size=given.evtq,
        early=given.early,
        contexts=QUIET[given.quiet],
        handle=Object("attach handle"),
    )
    core = board.core(ANSWERS[given.answer])

    async def release(cpu: Cpu) -> None:
        await board.contexts.quiet(cpu, board.bond)
        await cpu.access("mm release returns", reads=(stalls_resource(SID),))
        cpu.emit(ReleaseReturned(pasid=PASID, sid=SID))

    async def process(cpu: Cpu) -> None:
        await board.device.begun(cpu)
        if await board.mm_a.put(cpu):
            await board.mm_a.exit_mmap(cpu)
        await board.endpoint.stop(cpu, PASID)

    board.mm_a.register(release=release)
    world.add_actor("process", process)
    board.start(EventQueue(board.registers, board.evtq_ring, board.evtq_irq, core.report), core)

    world.check(NoStallAfterRelease(), NoDmaIntoForeignFrame(), EveryEventIsTaken(), EveryStallIsResumed())
    world.expect(DmaAfterRelease())
    world.goal(stall_behind_quiet_context())
