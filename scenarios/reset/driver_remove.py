"""Seed 001: translation changes only once DMA is halted, also when a driver is removed."""

from __future__ import annotations

from actors.devices.stoppable_loop import StoppableLoop
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.removal import REMOVALS

from ..boards.platform import iommu_with, platform
from ..oracles.device_sees_no_error import DeviceSeesNoError
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import number, one_of
from ..scenario import Expected, scenario
from ..witnesses.endpoint_works_in import EndpointWorksIn

ERRORS = "device-sees-no-error"
FOREIGN = "no-dma-into-foreign-frame"
EXPECTED = (
    Expected(
        params={"order": "unmap-first"},
        verdict="violated",
        oracle=ERRORS,
        why="the device works while its translation goes: what it meets is reported as its error (AER)",
    ),
    Expected(
        params={"order": "never"},
        verdict="violated",
        oracle=ERRORS,
        why="a driver that leaves the halt to the IOMMU",
    ),
    Expected(
        params={"order": "free-first"},
        verdict="violated",
        oracle=FOREIGN,
        why="its buffer is freed under the device, whose translations still lead there",
    ),
    Expected(
        params={"order": "halt-first", "accesses": 2},
        verdict="holds",
        why="halted, then unmapped, then freed: nothing of the device is left that could meet the change",
    ),
    Expected(params={"order": "free-first", "iommu": "vtd"}, verdict="violated", oracle=FOREIGN, why="as on SMMUv3"),
    Expected(params={"order": "halt-first", "iommu": "vtd"}, verdict="holds", why="as on SMMUv3"),
)


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023: 'All changes to translation inside kernel drivers should only be "
    "done once the DMA is halted', as 'when removing() drivers'",
    expected=EXPECTED,
    order=one_of(*REMOVALS, default="unmap-first", meaning="what remove() does first, or that it never halts"),
    accesses=number(1, 3, default=1, meaning="writes of the device to its buffer"),
    iommu=iommu_with(),
)
def driver_remove(world: World, *, order: str, accesses: int, iommu: str) -> None:
    """A driver is removed while its device works on a buffer."""
    board = platform(world, iommu, device=StoppableLoop, repeats=accesses)
    board.make_present(world)
    world.add_actor("device", board.device.engine, daemon=True, hardware=True)
    world.add_actor("device.link", board.device.receiver, daemon=True, hardware=True)
    board.units.add(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", REMOVALS[order](board.endpoint, board.contexts, board.bond).run)
    world.check(DeviceSeesNoError(), NoDmaIntoForeignFrame())
    world.expect(EndpointWorksIn("buffer", board.mm_a.name))
