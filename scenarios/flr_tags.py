"""Seed 001: a reset makes a function forget its page request tags, and the host does not know."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from actors.config_space import ConfigSpace
from actors.fault_worker import add_fault_worker
from actors.pri_thread import add_pri_thread
from actors.resettable import IN_FLR, ResettableFunction
from actors.response_units import DrainsResponses, add_invalidation_timer
from actors.runtime.world import Cpu, World
from actors.smmu import SmmuUnits
from drivers.function_reset import (
    ORDERS,
    Drain,
    DrainsSoftwareOnly,
    DrainsToTheDevice,
    LeavesAtsOn,
    ResetContexts,
)
from hw.bus import VirtAddr
from hw.pcie.pri import PageRequestInterface, TagKeepingPri

from .board import SID
from .flr_tags_verdicts import EXPECTED
from .goals import stray_response_after_reset
from .oracles.both_lives_ask import BothLivesAsk
from .oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from .oracles.invalidation_falls_into_reset import InvalidationFallsIntoReset
from .oracles.no_invalidation_times_out import NoInvalidationTimesOut
from .oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from .oracles.no_unexpected_response import NoUnexpectedResponse
from .scenario import number, one_of, scenario
from .smmuv3_board import SmmuPlatform, smmuv3_platform

TAGS: dict[str, type[PageRequestInterface]] = {"reset": PageRequestInterface, "kept": TagKeepingPri}
ENDS: dict[str, tuple[type[Drain], type[SmmuUnits]]] = {
    "worker": (DrainsSoftwareOnly, SmmuUnits),
    "sync": (Drain, SmmuUnits),
    "sync-pd": (Drain, DrainsResponses),
    "stopped": (DrainsToTheDevice, SmmuUnits),
}
ATS: dict[str, type[ResetContexts]] = {"on": LeavesAtsOn, "blocked": ResetContexts}
LIVES = 2


@scenario(
    source="seed 001: J. Gunthorpe, 5 December 2023, Re: [PATCH v7 12/12] iommu: Improve iopf_queue_flush_dev()",
    expected=EXPECTED,
    drain=one_of(
        *ORDERS, default="none", meaning="when the host drains: before the FLR, after it, both, or PRI off first"
    ),
    end=one_of(
        *ENDS, default="sync-pd", meaning="the drain's last step: none, CMD_SYNC, a VT-d wait with PD=1, Status.Stopped"
    ),
    tags=one_of(
        *TAGS, default="reset", meaning="whether an FLR makes the function begin with the first PRGIndex again"
    ),
    prgis=number(1, 4, default=2, meaning="PRGIndex values that the function uses"),
    unexpected=one_of("status", "error", default="status", meaning="error: a response to nothing is reported (AER)"),
    requests=number(0, 1, default=1, meaning="page requests in each of the function's two lives"),
    unmap=number(0, 1, default=0, meaning="another CPU unmaps a page of the process meanwhile"),
    inv_during_flr=one_of(*IN_FLR, default="answered", meaning="what a function in reset does with invalidations"),
    ats=one_of(*ATS, default="on", meaning="blocked: no invalidation is sent while the function resets (2025)"),
)
def flr_tags(world: World, *, drain: str, end: str, requests: int, unmap: int, ats: str, **more: Any) -> None:
    """A function is reset while the host still works on its page requests, and then asks again."""
    drains, units = ENDS[end]
    board = smmuv3_platform(
        world,
        device=IN_FLR[more["inv_during_flr"]],
        report=0,
        requests=LIVES,
        group=1,
        priq_log2size=1,
        credits=1,
        put_async=True,
        contexts=ATS[ats],
    )
    device, contexts = board.device, board.contexts
    assert isinstance(device, ResettableFunction)
    assert isinstance(contexts, ResetContexts)
    device.pri = TAGS[more["tags"]](1, more["prgis"])
    device.pri.enable()
    device.jobs = device.jobs * requests
    contexts.lock = world.spinlock("devices_lock")
    config = ConfigSpace(device.upstream, device.downstream, SID)
    steps = drains(board.queue, board.iopf, contexts.barrier, device.stopped)
    world.add_actor("device", device.engine)
    world.add_actor("device.config", device.configuration, daemon=True)
    world.add_actor("device.link", device.receiver, daemon=True)
    _add_smmu(world, board, units)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.add_actor("driver", ORDERS[drain](config, steps, contexts).run)
    if unmap:
        _add_unmap(world, board)

    world.check(NoOldAnswerForANewRequest(), EveryLastIsAnsweredOnce(), NoInvalidationTimesOut())
    if more["unexpected"] == "error":
        world.check(NoUnexpectedResponse())
    world.expect(InvalidationFallsIntoReset() if unmap else BothLivesAsk())
    world.goal(stray_response_after_reset())


def _add_smmu(world: World, board: SmmuPlatform, kind: type[SmmuUnits]) -> None:
    units = kind(**{each.name: getattr(board.units, each.name) for each in fields(board.units)})
    assert isinstance(board.device, ResettableFunction)
    world.add_actor("smmu.link", units.link, daemon=True)
    world.add_actor("smmu.cmdq", units.command_queue, daemon=True)
    add_invalidation_timer(units, board.device)


def _add_unmap(world: World, board: SmmuPlatform) -> None:
    mm = board.mm_a
    page = world.frames.allocate(mm.owner)
    world.memory.write(mm.tables.leaf_address(mm.pages[0]), mm.tables.page_entry(page))

    async def invalidate(cpu: Cpu, start: VirtAddr, end: int) -> None:
        await board.contexts.invalidate(cpu, board.bond)

    async def reclaim(cpu: Cpu) -> None:
        await mm.unmap(cpu, mm.pages[0])

    mm.invalidate = invalidate
    world.add_actor("reclaim", reclaim)
