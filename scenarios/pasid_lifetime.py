"""Race R38: a PASID goes back to the pool when its process dies, and the unbind comes later."""

from __future__ import annotations

from actors.runtime.world import Cpu, World
from actors.streamer import StoppableStreamer
from drivers.pasid_lifetime import LIFETIMES
from drivers.quiet import QuietContexts
from hw.aarch64 import page_descriptor

from .oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from .oracles.no_double_free import NoDoubleFree
from .oracles.no_foreign_teardown import NoForeignTeardown
from .oracles.no_pasid_reuse_while_bound import NoPasidReuseWhileBound
from .oracles.no_use_after_free import NoUseAfterFree
from .oracles.pasid_changes_hands import PasidChangesHands
from .pasid_lifetime_verdicts import EXPECTED
from .platform import Platform, platform
from .scenario import number, one_of, scenario


@scenario(
    source="2667ed10d9f0 (April 2022): mm: Fix PASID use-after-free issue; it fixes 701fac40384f",
    expected=EXPECTED,
    free=one_of(*LIFETIMES, default="mmput", meaning="when the PASID goes back: last unbind, __mmput or __mmdrop"),
    closer=one_of("self", "other", default="self", meaning="who closes the device file: the dying process or another"),
    accesses=number(0, 2, default=1, meaning="writes of the device to one page of the process"),
    reuse=one_of("harm", "strict", default="harm", meaning="strict: a PASID that is still bound is not handed out"),
)
def pasid_lifetime(world: World, *, free: str, closer: str, accesses: int, reuse: str) -> None:
    """A process is killed while its device works, and another process binds."""
    board = platform(
        world,
        device=StoppableStreamer,
        report=0,
        requests=1,
        group=1,
        priq_log2size=1,
        credits=1,
        put_async=True,
        contexts=QuietContexts,
    )
    assert isinstance(board.contexts, QuietContexts)
    board.device.jobs *= accesses
    for mm in (board.mm_a, board.mm_b):
        page = world.frames.allocate(mm.owner)
        world.memory.write(mm.tables.leaf_address(mm.pages[0]), page_descriptor(page))
    life = LIFETIMES[free](board.pasids, board.contexts, board.endpoint, board.bond)
    board.mm_a.release = life.release

    async def process(cpu: Cpu) -> None:
        await life.exit(cpu)
        if closer == "self":
            await life.unbind(cpu)

    async def bind(cpu: Cpu) -> None:
        await board.contexts.write(cpu, await board.pasids.allocate(cpu, board.mm_b))

    world.add_actor("process", process)
    if closer == "other":
        world.add_actor("closer", life.unbind)
    world.add_actor("binder", bind, daemon=True)
    _add_board(world, board)

    world.check(NoDmaIntoForeignFrame(), NoForeignTeardown(), NoUseAfterFree(), NoDoubleFree())
    if reuse == "strict":
        world.check(NoPasidReuseWhileBound())
    world.expect(PasidChangesHands())


def _add_board(world: World, board: Platform) -> None:
    board.add_hardware(world)
