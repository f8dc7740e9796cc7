"""Which faults outlive an unbind, in kernels from 2020 to 7.1: no stall is lost, but few unbinds wait for one."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from drivers.smmuv3.unbind_eras import ERAS, Parts

from ..boards.stalling import stall_board
from ..oracles.cleared_context_stays_clear import ClearedContextStaysClear
from ..oracles.every_event_is_taken import EveryEventIsTaken
from ..oracles.every_stall_is_resumed import EveryStallIsResumed
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_double_free import NoDoubleFree
from ..oracles.no_foreign_teardown import NoForeignTeardown
from ..oracles.no_use_after_free import NoUseAfterFree
from ..oracles.nothing_leaks import NothingLeaks
from ..oracles.nothing_left_when_unbind_returns import NothingLeftWhenUnbindReturns
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.access_stalls import AccessStalls
from ..witnesses.goals import event_taken_after_unbind, stall_while_unbinding
from ..witnesses.record_outlives_its_access import RecordOutlivesItsAccess
from ..witnesses.release_writes_context import ReleaseWritesContext
from .sva_unbind_era_verdicts import EXPECTED


class SvaUnbindEra(Parameters):
    """Whose unbind, what stalls, and how the process ends."""

    era = one_of(*ERAS, default="7.1", meaning="whose bind, unbind and fault code")
    accesses = number(0, 1, default=1, meaning="writes of the device, to a page that is not present")
    early = number(0, 1, default=1, meaning="whether the SMMU may retry a stalled access by itself")
    trigger = one_of(
        "unbind",
        "exit",
        "other",
        default="unbind",
        meaning="the file is closed; the process is killed and then closes it, or another process closes it meanwhile",
    )
    touch = number(0, 1, default=1, meaning="whether the process itself touches the page before it closes the file")
    left = one_of("harm", "strict", default="harm", meaning="strict: unbind leaves nothing in EVTQ, work queue or CD")


@scenario(
    SvaUnbindEra,
    source="series v4-v7 and RFC of October 2020 (IOMMU_UNBIND_FAULT_PENDING); 5.14 to 7.1: iommu/arm-smmu-v3: "
    "Add stall support for platform devices",
    expected=EXPECTED,
)
def sva_unbind_era(world: World, given: SvaUnbindEra) -> None:
    """A device's access stalls; the process closes the device file; another process binds."""
    board = stall_board(world, accesses=given.accesses, log2size=1, early=given.early)
    of = ERAS[given.era]
    core = board.core(of.core)
    queue = of.queue(board.registers, board.evtq_ring, board.evtq_irq, core.report, world.mutex("EVTQ lock"))
    parts = Parts(
        pasids=board.pasids,
        contexts=board.contexts,
        endpoint=board.endpoint,
        queue=queue,
        core=core,
        handles=board.handles,
        locks=of.locks(world.mutex, world.spinlock),
    )
    life = of.unbind(parts, board.bond)
    board.mm_a.register(release=life.release)

    async def begun(cpu: Cpu) -> None:
        if given.accesses:
            await board.device.begun(cpu)

    async def process(cpu: Cpu) -> None:
        await begun(cpu)
        if given.touch:
            await board.mm_a.handle_fault(cpu, board.mm_a.pages[0])
        if given.trigger != "unbind":
            await life.exit(cpu)
        if given.trigger != "other":
            await life.unbind(cpu)

    async def closer(cpu: Cpu) -> None:
        await begun(cpu)
        await life.unbind(cpu)

    async def bind(cpu: Cpu) -> None:
        await life.bind(cpu, board.mm_b)

    world.add_actor("process", process)
    if given.trigger == "other":
        world.add_actor("closer", closer)
    world.add_actor("binder", bind, daemon=True)
    board.start(queue, core)

    world.check(NoCrossBindingFault(), NoUseAfterFree(), NoDoubleFree(), NothingLeaks(), NoForeignTeardown())
    world.check(NoDmaIntoForeignFrame(), EveryEventIsTaken(), EveryStallIsResumed())
    if given.left == "strict":
        world.check(NothingLeftWhenUnbindReturns(), ClearedContextStaysClear())
    _expect(world, given)
    world.goal(stall_while_unbinding(), event_taken_after_unbind())


def _expect(world: World, given: SvaUnbindEra) -> None:
    """What some run must reach."""
    if given.accesses:
        world.expect(AccessStalls())
    if given.accesses and given.early and given.touch:
        world.expect(RecordOutlivesItsAccess())
    if given.trigger != "unbind":
        world.expect(ReleaseWritesContext())
