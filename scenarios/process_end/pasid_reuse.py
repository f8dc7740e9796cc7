"""Races VTD-R12 and VTD-R13: a process dies; its device file, with the PASID, lives on in a forked child."""

from __future__ import annotations

from actors.devices.streamer import StoppableStreamer
from actors.runtime.world import Cpu, World
from actors.threads.exit_orders import add_exit
from drivers.kernel.pasid_lifetime import Lifetime
from hw.bus import PhysAddr

from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_double_free import NoDoubleFree
from ..oracles.no_foreign_teardown import NoForeignTeardown
from ..oracles.no_pasid_reuse_while_bound import NoPasidReuseWhileBound
from ..oracles.no_use_after_free import NoUseAfterFree
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.goals import write_after_reuse
from ..witnesses.pasid_changes_hands import PasidChangesHands
from .pasid_reuse_verdicts import EXPECTED

CLOSERS = {"self": "O1", "child": "O3", "other": "O5"}


class DyingProcess(Parameters):
    """How a process that is bound comes to its end, and what its device does meanwhile."""

    closer = one_of(
        *CLOSERS, default="child", meaning="who closes last: the process, a child when it is gone, a sibling"
    )
    accesses = number(0, 2, default=1, meaning="writes of the device to one page of the process")
    reuse = one_of("harm", "strict", default="harm", meaning="strict: a PASID that is still bound is not handed out")


class PasidReuse(DyingProcess):
    """What holds the PASID, and until when."""

    holds = one_of(
        *words_of("holds"),
        default="mmput",
        meaning="the PASID is free at __mmput, or at __mmdrop without or with the bond",
    )
    closer = DyingProcess.closer
    accesses = DyingProcess.accesses
    reuse = DyingProcess.reuse
    iommu = iommu_with("holds")


@scenario(
    PasidReuse,
    source="2667ed10d9f0 (April 2022): mm: Fix PASID use-after-free issue; "
    "cbd23144f766 (April 2022): iommu/arm-smmu-v3-sva: Fix mm use-after-free",
    expected=EXPECTED,
)
def pasid_reuse(world: World, given: PasidReuse) -> None:
    """A process dies while its device works, another process binds, and only then the device file is closed."""
    dying_process(world, given, parts_of(given.iommu, holds=given.holds)["life"], given.iommu)


def dying_process(world: World, given: DyingProcess, life: type[Lifetime], iommu: str) -> None:
    """Process A dies and its device file is closed, in some order; process B binds as soon as a PASID is free."""
    srcu = world.spinlock("mmu_notifier SRCU")
    board = platform(world, iommu, device=StoppableStreamer, repeats=given.accesses, srcu=srcu)
    contexts = board.contexts
    for mm in (board.mm_a, board.mm_b):
        mm.tables.map_now(mm.pages[0], PhysAddr(world.frames.allocate(mm.owner)))

    async def bind(cpu: Cpu) -> None:
        await contexts.write(cpu, await board.pasids.allocate(cpu, board.mm_b))

    binding = life(board.pasids, contexts, board.endpoint, board.bond, lock=world.mutex("sva_lock"))
    add_exit(world, CLOSERS[given.closer], board.mm_a, binding, srcu, atomic=board.atomic_release)
    world.add_actor("binder", bind, daemon=True)
    board.add_hardware(world)
    world.check(NoDmaIntoForeignFrame(), NoForeignTeardown(), NoUseAfterFree(), NoDoubleFree())
    if given.reuse == "strict":
        world.check(NoPasidReuseWhileBound())
    world.expect(PasidChangesHands())
    world.goal(write_after_reuse())
