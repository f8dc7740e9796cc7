"""Seed 001: blocked translation is no DMA stop; which errors the device sees, and which it does not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from actors.devices.stoppable_loop import LOOPS, StoppableLoop, UntranslatedLoop
from actors.iommus.untranslated import UntranslatedWrites
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.blocking import BLOCKS, TEARDOWNS, Blocking
from hw.pcie.tlp import Dma

from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..boards.vtd_knobs import knob, knobs_of
from ..oracles.device_sees_no_error import DeviceSeesNoError
from ..oracles.every_access_lands_or_is_refused import EveryAccessLandsOrIsRefused
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.device_works_and_is_blocked import DeviceWorksAndIsBlocked
from .stop_by_blocking_verdicts import EXPECTED


class StopByBlockingTranslation(Parameters):
    """Where and when translation is blocked, and what the device does then."""

    iommu = iommu_with("atc")
    stop = one_of(
        *TEARDOWNS, default="none", meaning="when the device is told to stop: never, too late, before the block"
    )
    block = one_of(
        *BLOCKS,
        default="clear-cd",
        meaning="where translation ends: CD, STE, EATS or a CD without walks; on VT-d PASID entry, context entry, DTE "
        "or a PASID entry with FPD",
    )
    atc = one_of(
        *words_of("atc"), default="invalidated", meaning="whether the block also takes the device's own TLB away"
    )
    traffic = one_of(
        *LOOPS, default="ats", meaning="translation requests and translated writes, or untranslated writes"
    )
    accesses = number(1, 3, default=1, meaning="writes of the device to one page")
    present = number(0, 1, default=1, meaning="whether the page is there, or must be asked for")
    watch = one_of("errors", "memory", default="errors", meaning="what is looked at: the device's errors, or memory")
    absent = knob("absent")
    translated = knob("translated")
    pasid_cache = knob("pasid_cache")


@scenario(
    StopByBlockingTranslation,
    source="seed 001: J. Gunthorpe, 5 December 2023: 'Hacking a DMA stop by forcing a blocking translation is not "
    "logically correct'",
    expected=EXPECTED,
)
def stop_by_blocking_translation(world: World, given: StopByBlockingTranslation) -> None:
    """A device works while its translation is blocked and its memory is freed."""
    kind, writes = LOOPS[given.traffic], None
    loop: Callable[..., StoppableLoop] = kind
    if issubclass(kind, UntranslatedLoop):
        writes = UntranslatedWrites(world.port("untranslated", Dma))
        loop = partial(kind, writes=writes)
    board = platform(
        world,
        given.iommu,
        parts_of(given.iommu, atc=given.atc),
        knobs_of(given),
        device=loop,
        repeats=given.accesses,
        drains=True,
    )
    device, mm = board.device, board.mm_a
    if given.present:
        board.make_present(world)
    if writes is not None:
        writes.add(board.units, device.host)
    world.add_actor("device", device.engine, daemon=True, hardware=True)
    world.add_actor("device.link", device.receiver, daemon=True, hardware=True)
    board.units.add(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    contexts = board.contexts
    assert isinstance(contexts, Blocking)
    blocked = BLOCKS[given.block](contexts, board.pasids, board.bond)
    world.add_actor("driver", TEARDOWNS[given.stop](board.endpoint, blocked, mm).run)

    if given.watch == "errors":
        world.check(DeviceSeesNoError(), EveryAccessLandsOrIsRefused())
    else:
        world.check(NoDmaIntoForeignFrame())
    world.expect(DeviceWorksAndIsBlocked())
