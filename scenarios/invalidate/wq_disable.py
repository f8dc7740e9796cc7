"""Race VTD-R33: a work queue is given to another process while the device still has a translation to ask for."""

from __future__ import annotations

from functools import partial

from actors.devices.wq_device import WqDevice
from actors.runtime.world import Cpu, World
from drivers.kernel.idxd import STOPS, WqRegisters

from ..boards.endpoint import PASID
from ..boards.vtd import vtd_platform
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.work_keeps_its_identity import WorkKeepsItsIdentity
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.work_is_translated import WorkIsTranslated

EXPECTED = (
    Expected(
        params={"stop": "disable"},
        verdict="violated",
        oracle="work-keeps-its-identity",
        why="Disable WQ aborts the work; the translation it waited for leaves later, with the PASID of the next owner",
    ),
    Expected(
        params={"stop": "drain-reset"},
        verdict="holds",
        why="Drain WQ is done when no work and no translation is left; only then WQCFG changes",
    ),
)


@scenario(
    source="1 October 2025: dmaengine: idxd: drain ATS translations when disabling WQ (erratum 843306)",
    expected=EXPECTED,
    stop=one_of(*STOPS, default="disable", meaning="how the driver stops a work queue when its file is closed"),
)
def wq_disable(world: World, *, stop: str) -> None:
    """A process closes the file of a work queue that has work; another process opens it."""
    registers = WqRegisters(pasid=world.word("device WQCFG.PASID", PASID), command=world.word("device COMMAND"))
    board = vtd_platform(world, device=partial(WqDevice, wq=registers), pasids=2)
    board.make_present(world)
    assert isinstance(board.device, WqDevice)
    idxd = STOPS[stop](registers, board.pasids, board.contexts)

    async def files(cpu: Cpu) -> None:
        await idxd.release(cpu, board.bond)
        await idxd.open(cpu, board.mm_b)

    board.add_hardware(world)
    world.add_actor("device.commands", board.device.commands, daemon=True, hardware=True)
    world.add_actor("idxd", files)

    world.check(WorkKeepsItsIdentity(), NoDmaIntoForeignFrame())
    world.expect(WorkIsTranslated())
