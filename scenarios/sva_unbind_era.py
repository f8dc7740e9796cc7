"""Which faults outlive an unbind, from the series of 2020 to 7.1: stalls are lost to nobody, and waited for by few."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.quiet import StallContexts
from drivers.sva_eras import ERAS, Parts

from .oracles.access_stalls import AccessStalls
from .oracles.every_event_is_taken import EveryEventIsTaken
from .oracles.every_stall_is_resumed import EveryStallIsResumed
from .oracles.no_cross_binding_fault import NoCrossBindingFault
from .oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from .oracles.no_double_free import NoDoubleFree
from .oracles.no_use_after_free import NoUseAfterFree
from .oracles.nothing_leaks import NothingLeaks
from .oracles.nothing_left_when_unbind_returns import NothingLeftWhenUnbindReturns
from .oracles.record_outlives_its_access import RecordOutlivesItsAccess
from .scenario import number, one_of, scenario
from .stall_board import stall_board
from .sva_unbind_era_verdicts import EXPECTED


@scenario(
    source="series v4-v8 (2020) and 5.14 to 7.1: iommu/arm-smmu-v3: Add stall support for platform devices",
    expected=EXPECTED,
    era=one_of(*ERAS, default="7.1", meaning="whose bind, unbind and fault code"),
    early=number(0, 1, default=1, meaning="whether the SMMU may retry a stalled access by itself"),
    trigger=one_of("unbind", "exit", default="unbind", meaning="the file is closed, or the process is killed first"),
    touch=number(0, 1, default=1, meaning="whether the process itself touches the page before it closes the file"),
    left=one_of(
        "harm", "strict", default="harm", meaning="strict: nothing is left in EVTQ or work queue at the return"
    ),
)
def sva_unbind_era(world: World, *, era: str, early: int, trigger: str, touch: int, left: str) -> None:
    """A device's access stalls; the process closes the device file; another process binds."""
    board = stall_board(world, accesses=1, log2size=1, early=early, contexts=StallContexts)
    of = ERAS[era]
    core = board.core(of.core)
    queue = of.queue(board.registers, board.evtq_ring, board.evtq_irq, core.report, world.mutex("EVTQ lock"))
    parts = Parts(
        pasids=board.pasids,
        contexts=board.contexts,
        endpoint=board.endpoint,
        queue=queue,
        core=core,
        handles=board.handles,
        lock=world.mutex("iommu_sva_lock"),
    )
    life = of.unbind(parts, board.bond)
    board.mm_a.release = life.release

    async def process(cpu: Cpu) -> None:
        await board.device.begun(cpu)
        if touch:
            await board.mm_a.handle_fault(cpu, board.mm_a.pages[0])
        if trigger == "exit":
            await life.exit(cpu)
        await life.unbind(cpu)

    async def bind(cpu: Cpu) -> None:
        await life.bind(cpu, board.mm_b)

    world.add_actor("process", process)
    world.add_actor("binder", bind, daemon=True)
    board.start(queue, core)

    world.check(NoCrossBindingFault(), NoUseAfterFree(), NoDoubleFree(), NothingLeaks())
    world.check(NoDmaIntoForeignFrame(), EveryEventIsTaken(), EveryStallIsResumed())
    if left == "strict":
        world.check(NothingLeftWhenUnbindReturns())
    world.expect(AccessStalls())
    if early and touch:
        world.expect(RecordOutlivesItsAccess())
