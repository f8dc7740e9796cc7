"""Seed 001: a reset makes a function forget its page request tags, and the host does not know."""

from __future__ import annotations

from functools import partial

from actors.devices.atc_writer import add_atc_writer
from actors.devices.resettable import IN_FLR, ResettableFunction
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.runtime.world import Cpu, World
from actors.threads.config_space import ConfigSpace
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.function_reset import ORDERS, AtsGate, LeavesAtsOn
from hw.bus import VirtAddr
from hw.pcie.pri import PageRequestInterface, TagKeepingPri

from ..boards.endpoint import SID, Platform
from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_invalidation_times_out import NoInvalidationTimesOut
from ..oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from ..oracles.no_unexpected_response import NoUnexpectedResponse
from ..parameters import BadValue, Parameters, number, one_of
from ..scenario import scenario
from ..witnesses.both_lives_ask import BothLivesAsk
from ..witnesses.goals import stray_response_after_reset
from ..witnesses.invalidation_falls_into_reset import InvalidationFallsIntoReset
from .flr_tags_verdicts import EXPECTED

TAGS: dict[str, type[PageRequestInterface]] = {"reset": PageRequestInterface, "kept": TagKeepingPri}
LIVES = 2


class FlrTags(Parameters):
    """What the host does around a reset, and what the function remembers of the time before it."""

    iommu = iommu_with(
        "end",
        "ats",
        "inv_during_flr",
        default="vtd",
        meaning="which IOMMU: only VT-d can wait until responses have left",
    )
    drain = one_of(
        *ORDERS,
        default="none",
        meaning="when the host drains: before the FLR, after it, both, or PRI off first (halt; read: and read back); "
        "unread: no configuration read tells it that the FLR is over",
    )
    end = one_of(
        *words_of("end"),
        default="wait",
        meaning="the drain's last step: none, VT-d's wait with PD=0, CMD_SYNC or a wait with PD=1, Status.Stopped; "
        "d0: VT-d's wait with PD=1, but the drain returns at once if PRI is off: in the driver's own flag, or "
        "(d0-register) in the function",
    )
    tags = one_of(
        *TAGS, default="reset", meaning="whether an FLR makes the function begin with the first PRGIndex again"
    )
    prgis = number(1, 4, default=2, meaning="PRGIndex values that the function uses")
    config_completion = one_of(
        "may-pass",
        "pushes",
        default="may-pass",
        meaning="whether the completion of a configuration write may pass page requests, as the ordering table has it",
    )
    unexpected = one_of(
        "status",
        "error",
        "error-always",
        default="status",
        meaning="error: a response to nothing is reported (AER) while PRI is on, or also while it is off",
    )
    requests = number(0, 1, default=1, meaning="page requests in each of the function's two lives")
    pushed = one_of(
        "priq", "root-complex", default="priq", meaning="where the function's requests are when an FLR ends"
    )
    unmap = number(0, 1, default=0, meaning="another CPU unmaps a page of the process meanwhile")
    inv_during_flr = one_of(*IN_FLR, default="answered", meaning="what a function in reset does with invalidations")
    ats = one_of(
        *words_of("ats"),
        default="on",
        meaning="blocked: translation is blocked, and then no invalidation sent to a function in reset (2025); "
        "gate-alone: only the latter",
    )
    writes = number(0, 1, default=0, meaning="writes of the function's first life to that page, which its ATC has")


@scenario(
    FlrTags,
    source="seed 001: J. Gunthorpe, 5 December 2023, Re: [PATCH v7 12/12] iommu: Improve iopf_queue_flush_dev()",
    expected=EXPECTED,
)
def flr_tags(world: World, given: FlrTags) -> None:
    """A function is reset while the host still works on its page requests, and then asks again."""
    if given.writes and not given.unmap:
        raise BadValue("parameter writes=1: to a page that is unmapped meanwhile; with unmap=0 allowed is 0")
    lock = world.spinlock("devices_lock")
    parts = parts_of(given.iommu, end=given.end, ats=given.ats, inv_during_flr=given.inv_during_flr)
    board = platform(
        world,
        given.iommu,
        {**parts, "contexts": partial(parts["contexts"], gate=lock)},
        device=partial(IN_FLR[given.inv_during_flr], completion_passes=given.config_completion == "may-pass"),
        requests=LIVES,
        group=1,
        credits=1,
        pushed=given.pushed,
        pri=lambda credits: TAGS[given.tags](credits, given.prgis),
        repeats=given.requests,
    )
    device, contexts = board.device, board.contexts
    assert isinstance(device, ResettableFunction)
    assert isinstance(contexts, AtsGate)
    if given.writes:
        add_atc_writer(world, device, board.mm_a.pages[0])
    config = ConfigSpace(device.upstream, device.downstream, SID)
    gate = LeavesAtsOn() if given.ats == "on" else contexts
    board.add_hardware(world, ats=bool(given.writes))
    world.add_actor("device.config", device.configuration, daemon=True, hardware=True)
    add_invalidation_timer(board.units, device)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", ORDERS[given.drain](config, board.drain, board.bond, gate).run)
    if given.unmap:
        _add_unmap(world, board, cached=bool(given.writes))

    world.check(
        NoOldAnswerForANewRequest(), EveryLastIsAnsweredOnce(), NoInvalidationTimesOut(), NoDmaIntoForeignFrame()
    )
    if given.unexpected != "status":
        world.check(NoUnexpectedResponse(always=given.unexpected == "error-always"))
    world.expect(InvalidationFallsIntoReset() if given.unmap else BothLivesAsk())
    world.goal(stray_response_after_reset())


def _add_unmap(world: World, board: Platform, cached: bool) -> None:
    mm = board.mm_a
    if cached:
        board.make_present(world, warm=True, cached=True)
    else:
        mm.tables.map_now(mm.pages[0], world.frames.allocate(mm.owner))

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def reclaim(cpu: Cpu) -> None:
        await mm.unmap(cpu, mm.pages[0])

    mm.register(invalidate=invalidate)
    world.add_actor("reclaim", reclaim)
