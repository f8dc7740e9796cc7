"""Seed 001: a device that cannot halt its DMA on its own, and a drain that helps it."""

from __future__ import annotations

from actors.devices.works_until_refused import WorksUntilRefused
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.helped_halt import HALTS

from ..boards.platform import iommu_with, platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound

EXPECTED = (
    Expected(
        params={"halt": "waits"},
        verdict="violated",
        oracle="no-deadlock",
        why="the device works as long as it is served, so that nobody sees it idle",
    ),
    Expected(
        params={"halt": "drains"},
        verdict="violated",
        oracle="no-dma-into-foreign-frame",
        why="a drain is no halt: the device asks behind it, the PASID's next owner has the fault, and the write is his",
    ),
    Expected(
        params={"halt": "refuses"},
        verdict="holds",
        why="refused, without a translation and with every answer the device halts; then a second drain finds it quiet",
    ),
    Expected(
        params={"halt": "refuses", "iommu": "vtd"},
        verdict="not found",
        searched=4_000,
        why="the same on VT-d, where hardware refuses what comes for an absent entry (25,990 schedules)",
    ),
)


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023: 'A secondary case is to help devices halt their DMA when they "
    "cannot do this on their own'",
    expected=EXPECTED,
    halt=one_of(*HALTS, default="drains", meaning="what is done about it: waited for, drained, or refused and waited"),
    iommu=iommu_with(),
)
def helped_halt(world: World, *, halt: str, iommu: str) -> None:
    """A device without a stop works with its PASID while that is unbound and bound again."""
    board = platform(world, iommu, device=WorksUntilRefused, report=0)

    async def bind(cpu: Cpu) -> None:
        await board.contexts.write(cpu, await board.pasids.allocate(cpu, board.mm_b))

    world.add_actor("device", board.device.engine, daemon=True, hardware=True)
    world.add_actor("device.link", board.device.receiver, daemon=True, hardware=True)
    board.units.add(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    unbind = HALTS[halt](board.pasids, board.contexts, board.endpoint, board.drain, board.bond)
    world.add_actor("process", unbind.run)
    world.add_actor("binder", bind, daemon=True)
    world.check(NoCrossBindingFault(), NoDmaIntoForeignFrame(), EveryLastIsAnsweredOnce())
    world.expect(RequestQueuedWhileUnbound())
