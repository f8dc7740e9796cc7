"""Race SMMU-R09: a Stop Marker looks like a request with Last, and wants no response."""

from __future__ import annotations

from actors.devices.device import STYLES
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.faults.mutants import AnswersMarkers
from drivers.kernel.faults.page_requests import Intake

from ..boards.platform import iommu_with, platform
from ..oracles.credits_come_back import CreditsComeBack
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_stray_response import NoStrayResponse
from ..parameters import Parameters, one_of
from ..scenario import Expected, scenario
from ..witnesses.marker_is_queued import MarkerIsQueued
from .unbind_window import UnbindWindow

MARKERS: dict[str, type[Intake]] = {"answer": AnswersMarkers, "drop": Intake}
EXPECTED = (
    Expected(
        params={"marker": "answer"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="the marker is forwarded like a request, so the device gets a response that it never asked for",
    ),
    Expected(params={"marker": "drop"}, verdict="holds", why="a marker ends a PASID and asks for nothing"),
    Expected(params={"marker": "answer", "stop": "A"}, verdict="vacuous", why="a device that waits sends no marker"),
    Expected(
        params={"marker": "answer", "iommu": "vtd"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="race VTD-R20: what the commit was about",
    ),
    Expected(params={"marker": "drop", "iommu": "vtd"}, verdict="holds", why="Linux has no other use for it there"),
)


class StopMarkerAnswered(Parameters):
    """What becomes of a Stop Marker, and what the device sends before it."""

    marker = one_of(*MARKERS, default="answer", meaning="what the PRI thread does with a Stop Marker")
    stop = one_of("A", "B", default="B", meaning="A waits for responses, B sends a Stop Marker")
    requests = UnbindWindow.requests
    priq = UnbindWindow.priq
    iommu = iommu_with()


@scenario(
    StopMarkerAnswered,
    source="da8669ff41fa (April 2022): iommu/vt-d: Drop stop marker messages",
    expected=EXPECTED,
)
def stop_marker_answered(world: World, given: StopMarkerAnswered) -> None:
    """A device is told to stop while its page requests are handled, and sends a Stop Marker behind them."""
    board = platform(
        world,
        given.iommu,
        device=STYLES[given.stop],
        report=0,
        requests=given.requests,
        group=1,
        priq_log2size=given.priq,
        credits=4,
        put_async=True,
        intake=MARKERS[given.marker],
    )

    async def stopper(cpu: Cpu) -> None:
        await board.device.begun()
        await board.endpoint.stop(cpu, board.bond.pasid)

    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", stopper)

    world.check(EveryLastIsAnsweredOnce(), NoStrayResponse(), CreditsComeBack())
    world.expect(MarkerIsQueued())
