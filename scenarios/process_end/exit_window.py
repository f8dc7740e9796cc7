"""Seed 003: a process dies before its device is stopped, and what the device does meanwhile is nobody's fault."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.devices.device import Device
from actors.devices.prefetcher import SilentPrefetcher
from actors.devices.stoppable_loop import CachedWriter
from actors.devices.virtual_dma import Reader, Writer
from actors.runtime.world import World
from actors.threads.exit_orders import ORDERS, add_exit
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.faults.iopf import FINDERS
from drivers.kernel.pasid_lifetime import WalkedLifetime
from drivers.vtd.mutants import ForgetsDeviceTlb
from drivers.vtd.pasid_table import PasidTable
from drivers.vtd.pasid_table_eras import ERAS
from hw.bus import VirtAddr
from hw.events.link import DeviceStopped
from hw.pcie.ats import Atc, AtcCachingLateCompletions
from hw.vtd.pasid import pieces
from hw.vtd.state import Vtd

from ..boards.endpoint import FIND
from ..boards.vtd import vtd_platform
from ..boards.vtd_knobs import fields_of, knob
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.fault_after_unbind_is_visible import FaultAfterUnbindIsVisible
from ..oracles.fault_log_is_silent_until_stop import FaultLogIsSilentUntilStop
from ..oracles.fpd_is_clear_after_unbind import FpdIsClearAfterUnbind
from ..oracles.no_access_after_unbind import NoAccessAfterUnbind
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_fault_handled_after_unbind import NoFaultHandledAfterUnbind
from ..oracles.no_write_behind_its_invalidation import NoWriteBehindItsInvalidation
from ..oracles.page_requests_stay_on import PageRequestsStayOn
from ..parameters import BadValue, Param, Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.access_behind import AccessBehind
from ..witnesses.device_works_in_the_window import DeviceWorksInTheWindow
from ..witnesses.worker_ends_the_address_space import WorkerEndsTheAddressSpace
from .exit_window_verdicts import EXPECTED

DEVICES: dict[str, type[Device]] = {
    "write": Writer,
    "read": Reader,
    "ats": CachedWriter,
    "page-request": SilentPrefetcher,
}
TEARDOWNS: dict[str, type[PasidTable]] = ERAS | {"forgets-device-tlb": ForgetsDeviceTlb}


class ExitWindow(Parameters):
    """Whose tear-down, in which order, and what device and IOMMU do meanwhile."""

    fpd = one_of(
        *TEARDOWNS,
        default="5.7",
        meaning="whose tear-down: Linux by version, 2026 as it was meant, a right one, or one that forgets the ATC",
    )
    order = one_of(*ORDERS, default="O1", meaning="O1 killed, O2 closed, O3 other owner later, O4 worker, O5 at once")
    traffic = one_of(
        *DEVICES, default="write", meaning="untranslated DMA, translation requests, or page requests first"
    )
    accesses = number(1, 3, default=1, meaning="of the device, to one page")
    rogue = number(0, 1, default=0, meaning="an access of the device after it said that it stopped")
    cache = one_of("warm", "cold", default="warm", meaning="whether the IOMMU has seen the PASID before")
    fetch = Param(default=4, allowed=(1, 2, 4), meaning="reads in which hardware fetches a PASID entry")
    records = number(1, 4, default=2, meaning="fault recording registers")
    late = one_of("drop", "cache", default="drop", meaning="cache: a device with ATS breaks PCIe 10.3.3")
    find = FIND
    refusal = knob("refusal")
    absent = knob("absent")
    caching = knob("caching")
    pr_pasid_check = knob("pr_pasid_check")
    translated = knob("translated")
    pri = one_of(
        "on", "off", default="on", meaning="off: the device has no PRI, so that the drain returns at once (D0)"
    )
    watch = one_of(
        "always",
        "after",
        "memory",
        "access",
        default="always",
        meaning="what is looked at: all; not FPD, and the fault log after unbind only; foreign memory alone; or just "
        "whether an access that was sent after unbind gets through",
    )


@scenario(
    ExitWindow,
    source="seed 003: 37e91bd4 (May 2020): iommu/vt-d: Disable non-recoverable fault processing before unbind; "
    "c43e1ccdebf2 and cf08ca81d08a (2024), 75ed00055c05 (2026): what later tear-downs made of it. Its drawing of "
    "the exit is a sketch: release comes first in exit_mmap, and no notifier after it (vtd-pcie §3.1); so it is here",
    expected=EXPECTED,
)
def exit_window(world: World, given: ExitWindow) -> None:
    """A process dies, or closes its device file, while the device works with its PASID."""
    _refuse(given)
    srcu = world.spinlock("mmu_notifier SRCU")
    board = vtd_platform(
        world,
        device=_device(given),
        repeats=given.accesses,
        pri_on=given.pri == "on",
        drains=given.pri == "on",
        announces=False,
        srcu=srcu,
        put_async=False,
        iopf=FINDERS[given.find],
        contexts=partial(TEARDOWNS[given.fpd], caching_mode=given.caching == "on"),
        fault_records=given.records,
        warm=given.cache == "warm",
        hardware=partial(Vtd, entry_pieces=pieces(given.fetch), **fields_of(given)),
    )
    mm = board.mm_a
    if given.traffic != "page-request":
        mm.tables.map_now(VirtAddr(mm.pages[0]), world.frames.allocate(mm.owner))
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    left = (("word", board.contexts.word(board.bond, 0)),)
    life = WalkedLifetime(board.pasids, board.contexts, board.endpoint, board.bond, left=left)
    add_exit(world, given.order, mm, life, srcu)

    _watch(world, given.watch)
    _expect(world, given)


def _device(given: ExitWindow) -> Callable[..., Device]:
    kind = DEVICES[given.traffic]
    if issubclass(kind, CachedWriter):
        return partial(kind, rogue=given.rogue, atc=AtcCachingLateCompletions() if given.late == "cache" else Atc())
    return partial(kind, rogue=given.rogue) if issubclass(kind, Writer) else kind


def _watch(world: World, watch: str) -> None:
    if watch != "access":
        world.check(NoDmaIntoForeignFrame())
    if watch != "memory":
        world.check(NoAccessAfterUnbind())
    if watch in ("always", "after"):
        world.check(FaultAfterUnbindIsVisible(), NoFaultHandledAfterUnbind(), NoWriteBehindItsInvalidation())
        world.check(EveryLastIsAnsweredOnce(), PageRequestsStayOn())
    if watch == "always":
        world.check(FaultLogIsSilentUntilStop(), FpdIsClearAfterUnbind())


def _refuse(given: ExitWindow) -> None:
    """What would do nothing beside such traffic."""
    traffic = given.traffic
    if given.pri == "off" and traffic == "page-request":
        raise BadValue(f"parameter pri='off': there are no page requests without PRI; with {traffic=} allowed is on")
    if given.rogue and traffic == "page-request":
        raise BadValue(
            f"parameter rogue=1: a device that only asks for pages has no access; with {traffic=} allowed is 0"
        )
    if given.late == "cache" and traffic != "ats":
        raise BadValue(f"parameter late='cache': what a device with ATS does; with {traffic=} allowed is drop")


def _expect(world: World, given: ExitWindow) -> None:
    # Who closes first has stopped the device before the window opens, unless that goes on.
    world.expect(AccessBehind(DeviceStopped) if given.order == "O2" and given.rogue else DeviceWorksInTheWindow())
    if given.order == "O4":
        world.expect(WorkerEndsTheAddressSpace())
