"""Seed 001: a reset makes a function forget its page request tags, and the host does not know."""

from __future__ import annotations

from typing import Any

from actors.devices.atc_writer import add_atc_writer
from actors.devices.resettable import IN_FLR, IgnoresInReset, ResettableFunction
from actors.iommus.invalidation_timer import add_invalidation_timer
from actors.runtime.world import Cpu, World
from actors.threads.config_space import ConfigSpace
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.function_reset import ORDERS, AtsGate, Drain, Enabled, LeavesAtsOn
from drivers.smmuv3.reset_drains import PRIQ_DRAINS
from drivers.smmuv3.reset_gate import ResetContexts, ResetKeepsTranslation
from drivers.vtd.qi import Qi
from drivers.vtd.qi_errors import BlocksAts, BlocksNothingElse, Retries
from drivers.vtd.reset_drains import PRQ_DRAINS, PrqDrain
from hw.bus import VirtAddr
from hw.pcie.pri import PageRequestInterface, TagKeepingPri

from ..boards.endpoint import SID, Options, Platform
from ..boards.smmuv3 import smmuv3_platform
from ..boards.vtd import vtd_platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..oracles.no_invalidation_times_out import NoInvalidationTimesOut
from ..oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from ..oracles.no_unexpected_response import NoUnexpectedResponse
from ..scenario import BadValue, number, one_of, scenario
from ..witnesses.both_lives_ask import BothLivesAsk
from ..witnesses.goals import stray_response_after_reset
from ..witnesses.invalidation_falls_into_reset import InvalidationFallsIntoReset
from .flr_tags_verdicts import EXPECTED

TAGS: dict[str, type[PageRequestInterface]] = {"reset": PageRequestInterface, "kept": TagKeepingPri}
LIVES = 2
Gated = tuple[type[ResetContexts], type[BlocksAts]]
CONTEXTS: dict[str, Gated] = {
    "on": (ResetContexts, BlocksAts),
    "blocked": (ResetContexts, BlocksAts),
    "gate-alone": (ResetKeepsTranslation, BlocksNothingElse),
}
"""The drivers of either IOMMU; with `on` nobody closes the gate."""


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023, Re: [PATCH v7 12/12] iommu: Improve iopf_queue_flush_dev()",
    expected=EXPECTED,
    iommu=one_of("smmuv3", "vtd", default="vtd", meaning="which IOMMU: only VT-d can wait until responses have left"),
    drain=one_of(
        *ORDERS,
        default="none",
        meaning="when the host drains: before the FLR, after it, both, or PRI off first (halt; read: and read back); "
        "unread: no configuration read tells it that the FLR is over",
    ),
    end=one_of(
        *PRQ_DRAINS,
        default="wait",
        meaning="the drain's last step: none, VT-d's wait with PD=0, CMD_SYNC or a wait with PD=1, Status.Stopped; "
        "d0: VT-d's wait with PD=1, but the drain returns at once if PRI is off: in the driver's own flag, or "
        "(d0-register) in the function",
    ),
    tags=one_of(
        *TAGS, default="reset", meaning="whether an FLR makes the function begin with the first PRGIndex again"
    ),
    prgis=number(1, 4, default=2, meaning="PRGIndex values that the function uses"),
    config_completion=one_of(
        "may-pass",
        "pushes",
        default="may-pass",
        meaning="whether the completion of a configuration write may pass page requests, as the ordering table has it",
    ),
    unexpected=one_of(
        "status",
        "error",
        "error-always",
        default="status",
        meaning="error: a response to nothing is reported (AER) while PRI is on, or also while it is off",
    ),
    requests=number(0, 1, default=1, meaning="page requests in each of the function's two lives"),
    pushed=one_of("priq", "root-complex", default="priq", meaning="where the function's requests are when an FLR ends"),
    unmap=number(0, 1, default=0, meaning="another CPU unmaps a page of the process meanwhile"),
    inv_during_flr=one_of(*IN_FLR, default="answered", meaning="what a function in reset does with invalidations"),
    ats=one_of(
        "on",
        "blocked",
        "gate-alone",
        default="on",
        meaning="blocked: translation is blocked, and then no invalidation sent to a function in reset (2025); "
        "gate-alone: only the latter",
    ),
    writes=number(0, 1, default=0, meaning="writes of the function's first life to that page, which its ATC has"),
)
def flr_tags(world: World, *, iommu: str, drain: str, end: str, requests: int, unmap: int, **more: Any) -> None:
    """A function is reset while the host still works on its page requests, and then asks again."""
    if more["writes"] and not unmap:
        raise BadValue("parameter writes=1: to a page that is unmapped meanwhile; with unmap=0 allowed is 0")
    options = Options(device=IN_FLR[more["inv_during_flr"]], requests=LIVES, group=1, credits=1, pushed=more["pushed"])
    board, steps = (_vtd if iommu == "vtd" else _smmuv3)(world, end, options, CONTEXTS[more["ats"]])
    device, contexts = board.device, board.contexts
    assert isinstance(device, ResettableFunction)
    assert isinstance(contexts, AtsGate)
    device.completion_passes = more["config_completion"] == "may-pass"
    device.pri = TAGS[more["tags"]](1, more["prgis"])
    device.pri.enable()
    if more["writes"]:
        add_atc_writer(world, device)
    device.jobs = device.jobs * requests
    contexts.lock = world.spinlock("devices_lock")
    config = ConfigSpace(device.upstream, device.downstream, SID)
    gate = LeavesAtsOn() if more["ats"] == "on" else contexts
    board.add_hardware(world, ats=bool(more["writes"]))
    world.add_actor("device.config", device.configuration, daemon=True)
    add_invalidation_timer(board.units, device)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", ORDERS[drain](config, steps, board.bond, gate).run)
    if unmap:
        _add_unmap(world, board, cached=bool(more["writes"]))

    world.check(
        NoOldAnswerForANewRequest(), EveryLastIsAnsweredOnce(), NoInvalidationTimesOut(), NoDmaIntoForeignFrame()
    )
    if more["unexpected"] != "status":
        world.check(NoUnexpectedResponse(always=more["unexpected"] == "error-always"))
    world.expect(InvalidationFallsIntoReset() if unmap else BothLivesAsk())
    world.goal(stray_response_after_reset())


def _smmuv3(world: World, end: str, options: Options, contexts: Gated) -> tuple[Platform, Drain]:
    if end not in PRIQ_DRAINS:
        allowed = ", ".join(PRIQ_DRAINS)
        raise BadValue(f"parameter end={end!r}: only VT-d's drain has that; with iommu=smmuv3 allowed are {allowed}")
    board = smmuv3_platform(world, contexts=contexts[0], **options)
    assert isinstance(board.device, ResettableFunction)
    return board, PRIQ_DRAINS[end](board.queue, board.iopf, board.cmdq, board.device.stopped)


def _vtd(world: World, end: str, options: Options, contexts: Gated) -> tuple[Platform, Drain]:
    mute = issubclass(options["device"], IgnoresInReset)
    board = vtd_platform(
        world,
        contexts=contexts[1],
        drain=PRQ_DRAINS[end],
        qi=Retries if mute else Qi,
        time_outs=mute,
        **options,
    )
    assert isinstance(board.drain, PrqDrain)
    assert isinstance(board.device, ResettableFunction)
    board.drain.stopped = board.device.stopped
    board.drain.enabled = board.device.enabled if end == "d0-register" else _flag(world)
    return board, board.drain


def _flag(world: World) -> Enabled:
    """The driver's own, which neither an FLR nor the function's driver clears."""
    flag = world.word("pri_enabled", 1)

    async def enabled(cpu: Cpu) -> bool:
        return bool(await cpu.load(flag, "pri_enabled"))

    return enabled


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

    mm.invalidate = invalidate
    world.add_actor("reclaim", reclaim)
