"""Race SMMU-R13: a device does not answer an ATC_INV; the command queue stops, and goes on as if it had."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from actors.devices.mute_function import MuteFunction
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.runtime.world import Cpu, World
from drivers.smmuv3.quarantine import REACTIONS, NotesFailures, Quarantines
from hw.bus import PhysAddr, VirtAddr
from hw.smmuv3.state import Smmu

from ..boards.smmuv3 import smmuv3_platform
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.invalidation_times_out import InvalidationTimesOut

Part = TypeVar("Part")
EXPECTED = (
    Expected(
        params={"reaction": "unacknowledged"},
        leaves=("CERROR_ATC_INV_SYNC",),
        verdict="violated",
        oracle="no-deadlock",
        why="as long as GERROR differs from GERRORN no command is consumed, whoever waits for one",
    ),
    Expected(
        params={"reaction": "ignored"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="SMMU-R13: the CMD_SYNC is tried again and succeeds; its caller frees what the device still reaches",
    ),
    Expected(
        params={"reaction": "late-note"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="the caller is back from the CMD_SYNC and has looked before the error handler says what happened",
    ),
    Expected(
        params={"reaction": "quarantine", "atschk": 0},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="without CR0.ATSCHK nobody asks the STE about translated traffic",
    ),
    Expected(
        params={"reaction": "quarantine"},
        verdict="holds",
        why="the stream is cut off, and a CMD_SYNC has waited for its writes, before the page is freed",
    ),
)


@scenario(
    source="proposal of March 2026: Quarantine device upon ATC invalidation timeout",
    expected=EXPECTED,
    reaction=one_of(*REACTIONS, default="ignored", meaning="what software makes of a CMD_SYNC that failed"),
    atschk=number(0, 1, default=1, meaning="CR0.ATSCHK: whether the STE is asked about translated traffic"),
    accesses=number(1, 3, default=2, meaning="writes of the device to the page, one after the other"),
)
def cmdq_error(world: World, *, reaction: str, atschk: int, accesses: int) -> None:
    """A page is taken away from a device that may hang, and goes on writing through its cache."""
    contexts, handler = REACTIONS[reaction]
    failed, gerror = world.word("CMD_SYNC failed"), world.interrupt("GERROR")
    board = smmuv3_platform(
        world,
        device=MuteFunction,
        repeats=accesses,
        contexts=_noting(contexts, Quarantines, failed),
        hardware=partial(Smmu, atschk=bool(atschk)),
        gerror=gerror,
    )
    assert isinstance(board.device, MuteFunction)
    board.make_present(world, warm=True)
    errors = _noting(handler, NotesFailures, failed)(board.units.smmu.registers, board.units.cmdq, gerror)

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def reclaim(cpu: Cpu) -> None:
        await board.mm_a.unmap(cpu, board.mm_a.pages[0])

    board.mm_a.register(invalidate=invalidate)
    board.add_hardware(world)
    add_invalidation_timer(board.units, board.device)
    world.add_actor("gerror", errors.thread, daemon=True)
    world.add_actor("reclaim", reclaim)

    world.check(NoDmaIntoForeignFrame())
    world.expect(InvalidationTimesOut())


def _noting(kind: type[Part], who: type, failed: PhysAddr) -> Callable[..., Part]:
    """What makes a part of some kind, which is told where the error handler's note is if it is one of `who`."""
    made: Callable[..., Part] = kind
    return partial(made, failed=failed) if issubclass(kind, who) else made
