"""Seed 003: a process dies before its device is stopped, and what the device does meanwhile is nobody's fault."""

from __future__ import annotations

from actors.device import Device
from actors.exit_orders import ORDERS, add_exit
from actors.fault_worker import add_fault_worker
from actors.prefetcher import SilentPrefetcher
from actors.pri_thread import add_pri_thread
from actors.runtime.world import World
from actors.stoppable_loop import StoppableLoop
from actors.virtual_dma import Reader, Writer
from drivers.intel_vtd_eras import ERAS
from drivers.pasid_lifetime import WalkedLifetime
from hw.bus import VirtAddr
from hw.pcie.ats import Atc, AtcCachingLateCompletions
from hw.vtd.pasid import pieces

from .exit_window_verdicts import EXPECTED
from .oracles.device_works_in_the_window import DeviceWorksInTheWindow
from .oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from .oracles.fault_after_unbind_is_visible import FaultAfterUnbindIsVisible
from .oracles.fault_log_is_silent_until_stop import FaultLogIsSilentUntilStop
from .oracles.no_access_after_unbind import NoAccessAfterUnbind
from .oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from .oracles.no_fault_handled_after_unbind import NoFaultHandledAfterUnbind
from .oracles.page_requests_stay_on import PageRequestsStayOn
from .oracles.worker_ends_the_address_space import WorkerEndsTheAddressSpace
from .scenario import Param, number, one_of, scenario
from .vtd_board import vtd_platform
from .vtd_knobs import fields_of, knob

DEVICES: dict[str, type[Device]] = {
    "write": Writer,
    "read": Reader,
    "ats": StoppableLoop,
    "page-request": SilentPrefetcher,
}


@scenario(
    source="seed 003: 37e91bd4 (May 2020): iommu/vt-d: Disable non-recoverable fault processing before unbind",
    expected=EXPECTED,
    fpd=one_of(*ERAS, default="5.7", meaning="whose tear-down: Linux by version, 2026 as it was meant, a right one"),
    order=one_of(*ORDERS, default="O1", meaning="O1 killed, O2 closed, O3 other owner later, O4 worker, O5 at once"),
    traffic=one_of(*DEVICES, default="write", meaning="untranslated DMA, translation requests, or page requests first"),
    accesses=number(1, 3, default=1, meaning="of the device, to one page"),
    rogue=number(0, 1, default=0, meaning="an untranslated access of the device after it said that it stopped"),
    cache=one_of("warm", "cold", default="warm", meaning="whether the IOMMU has seen the PASID before"),
    fetch=Param(default=4, allowed=(1, 2, 4), meaning="reads in which hardware fetches a PASID entry"),
    records=number(1, 4, default=2, meaning="fault recording registers"),
    late=one_of("drop", "cache", default="drop", meaning="cache: a device with ATS breaks PCIe 10.3.3"),
    refusal=knob("refusal"),
    absent=knob("absent"),
    pr_pasid_check=knob("pr_pasid_check"),
    translated=knob("translated"),
    watch=one_of("always", "after", default="always", meaning="when the fault log is looked at: after unbind only?"),
)
def exit_window(
    world: World,
    *,
    fpd: str,
    order: str,
    traffic: str,
    accesses: int,
    rogue: int,
    cache: str,
    fetch: int,
    records: int,
    late: str,
    watch: str,
    **unit: str,
) -> None:
    """A process dies, or closes its device file, while the device works with its PASID."""
    board = vtd_platform(
        world,
        device=DEVICES[traffic],
        put_async=False,
        contexts=ERAS[fpd],
        fault_records=records,
        warm=cache == "warm",
        vtd={"entry_pieces": pieces(fetch), **fields_of(unit)},
    )
    device, mm = board.device, board.mm_a
    device.jobs *= accesses
    device.atc = AtcCachingLateCompletions() if late == "cache" else Atc()
    if isinstance(device, Writer):
        device.rogue = rogue
    if traffic != "page-request":
        mm.tables.map_now(VirtAddr(mm.pages[0]), world.frames.allocate(mm.owner))
    board.contexts.drain = board.drain.run
    board.endpoint.announces = False
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    life = WalkedLifetime(board.pasids, board.contexts, board.endpoint, board.bond)
    board.contexts.srcu = add_exit(world, order, mm, life)

    world.check(FaultAfterUnbindIsVisible(), NoFaultHandledAfterUnbind(), NoAccessAfterUnbind())
    world.check(NoDmaIntoForeignFrame(), EveryLastIsAnsweredOnce(), PageRequestsStayOn())
    if watch == "always":
        world.check(FaultLogIsSilentUntilStop())
    world.expect(DeviceWorksInTheWindow())
    if order == "O4":
        world.expect(WorkerEndsTheAddressSpace())
