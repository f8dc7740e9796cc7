"""Seed 001: blocked translation is no DMA stop; which errors the device sees, and which it does not."""

from __future__ import annotations

from actors.fault_worker import add_fault_worker
from actors.pri_thread import add_pri_thread
from actors.runtime.world import World
from actors.stoppable_loop import LOOPS, UntranslatedLoop
from actors.untranslated import UntranslatedWrites
from drivers.blocking import BLOCKS, TEARDOWNS, BlockingContexts, KeepsAtc
from hw.pcie.tlp import Dma

from .oracles.device_sees_no_error import DeviceSeesNoError
from .oracles.device_works_and_is_blocked import DeviceWorksAndIsBlocked
from .oracles.every_access_lands_or_is_refused import EveryAccessLandsOrIsRefused
from .oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from .scenario import number, one_of, scenario
from .smmuv3_board import SmmuPlatform, smmuv3_platform
from .stop_by_blocking_verdicts import EXPECTED

ATC: dict[str, type[BlockingContexts]] = {"invalidated": BlockingContexts, "kept": KeepsAtc}


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023: 'Hacking a DMA stop by forcing a blocking translation is not "
    "logically correct'",
    expected=EXPECTED,
    stop=one_of(
        *TEARDOWNS, default="none", meaning="when the device is told to stop: never, too late, before the block"
    ),
    block=one_of(*BLOCKS, default="clear-cd", meaning="where translation ends: CD, STE, EATS, or a CD without walks"),
    atc=one_of(*ATC, default="invalidated", meaning="whether the block also takes the device's own TLB away"),
    traffic=one_of(*LOOPS, default="ats", meaning="translation requests and translated writes, or untranslated writes"),
    accesses=number(1, 3, default=1, meaning="writes of the device to one page"),
    present=number(0, 1, default=1, meaning="whether the page is there, or must be asked for"),
    watch=one_of("errors", "memory", default="errors", meaning="what is looked at: the device's errors, or memory"),
)
def stop_by_blocking_translation(
    world: World, *, stop: str, block: str, atc: str, traffic: str, accesses: int, present: int, watch: str
) -> None:
    """A device works while its translation is blocked and its memory is freed."""
    board = smmuv3_platform(
        world,
        device=LOOPS[traffic],
        report=0,
        requests=1,
        group=1,
        priq_log2size=1,
        credits=1,
        put_async=True,
        contexts=ATC[atc],
    )
    contexts, device, mm = board.contexts, board.device, board.mm_a
    assert isinstance(contexts, BlockingContexts)
    contexts.streams = board.units.smmu.stream_table
    device.jobs *= accesses
    if present:
        page = world.frames.allocate(mm.owner)
        world.memory.write(mm.tables.leaf_address(mm.pages[0]), mm.tables.page_entry(page))
    if isinstance(device, UntranslatedLoop):
        device.writes = UntranslatedWrites(board.units, world.port("untranslated", Dma))
        world.add_actor("smmu.dma", device.writes.serve, daemon=True)
    _add_board(world, board)
    blocked = BLOCKS[block](contexts, board.pasids, board.bond)
    world.add_actor("driver", TEARDOWNS[stop](board.endpoint, blocked, mm).run)

    if watch == "errors":
        world.check(DeviceSeesNoError(), EveryAccessLandsOrIsRefused())
    else:
        world.check(NoDmaIntoForeignFrame())
    world.expect(DeviceWorksAndIsBlocked())


def _add_board(world: World, board: SmmuPlatform) -> None:
    world.add_actor("device", board.device.engine, daemon=True)
    world.add_actor("device.link", board.device.receiver, daemon=True)
    world.add_actor("smmu.link", board.units.link, daemon=True)
    world.add_actor("smmu.ats", board.units.ats, daemon=True)
    world.add_actor("smmu.cmdq", board.units.command_queue, daemon=True)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
