"""An SMMUv3 driver on Armv8 memory, with one of its barriers left out (smmuv3 §3.1, §3.2, §4.4)."""

from __future__ import annotations

from typing import Any

from actors.devices.device import STYLES
from actors.runtime.world import World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from drivers.kernel.endpoint import REPORT
from drivers.kernel.sva import VARIANTS
from drivers.smmuv3.barriers import (
    CommandsUnordered,
    EntriesReadEarly,
    EntriesReadLate,
    HandsOverUnordered,
    LockFreeCommandsUnordered,
    ValidEarly,
)
from drivers.smmuv3.cmdq_lock_free import LockFreeCmdq

from ..boards.smmuv3 import smmuv3_platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from .cmdq_issue import CmdqIssue, share

BARRIERS: dict[str, dict[str, Any]] = {
    "all": {},
    "before-cmdq-prod": {"commands_by": CommandsUnordered},
    "after-priq-prod": {"queue": EntriesReadEarly},
    "before-priq-cons": {"queue": EntriesReadLate},
    "before-cd-valid": {"contexts": ValidEarly},
}
"""Each barrier of bind, unbind and page requests, and the driver that lacks it."""
LOCK_FREE: dict[str, type[LockFreeCmdq]] = {
    "all-lock-free": LockFreeCmdq,
    "before-valid-mark": LockFreeCommandsUnordered,
    "before-owner-prod": HandsOverUnordered,
}
"""Those of the command queue that CPUs share."""
EXPECTED = (
    Expected(params={"barrier": "all"}, verdict="holds", why="every order that matters is kept"),
    Expected(
        params={"barrier": "before-cmdq-prod"},
        verdict="violated",
        oracle="no-deadlock",
        why="the SMMU sees PROD ahead of the command, takes what was in the slot for one, and stops",
    ),
    Expected(
        params={"barrier": "after-priq-prod"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="the PRI thread reads the slot before the request is there: it is lost",
    ),
    Expected(
        params={"barrier": "before-priq-cons"},
        verdict="holds",
        why="without it a load could see what the SMMU stores because of a later store: load buffering, which is left "
        "out",
    ),
    Expected(
        params={"barrier": "before-cd-valid"},
        verdict="holds",
        why="not needed: nobody uses the PASID before bind returns, and CFGI_CD takes away what was fetched until then",
    ),
    Expected(params={"barrier": "all-lock-free"}, verdict="holds", why="every order that matters is kept"),
    Expected(
        params={"barrier": "before-valid-mark"},
        verdict="violated",
        oracle="commands-run-as-issued",
        why="the owner sees the mark ahead of the command and publishes the slot",
    ),
    Expected(
        params={"barrier": "before-owner-prod"},
        verdict="violated",
        oracle="commands-run-as-issued",
        why="the next owner's PROD is overtaken by that of the last one",
    ),
)


@scenario(
    source="Documentation/memory-barriers.txt of Linux, and the barriers of its SMMUv3 driver",
    expected=EXPECTED,
    memory="arm",
    barrier=one_of(*BARRIERS, *LOCK_FREE, default="all", meaning="which one is missing; all…: none is"),
)
def missing_barrier(world: World, *, barrier: str) -> None:
    """One barrier of the driver is missing: while a PASID changes hands, or CPUs share the command queue."""
    if barrier in LOCK_FREE:
        share(world, LOCK_FREE[barrier], CmdqIssue())
        return
    board = smmuv3_platform(world, device=STYLES["B"], report=REPORT["right"]["B"], credits=4, **BARRIERS[barrier])
    sva = board.sva(world, VARIANTS["full"])
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    add_process(world, "unbind", board.mm_a, board.bond, sva, board.endpoint)
    add_mmu_notifier(world, board.mm_a, sva)
    add_binder(world, board.mm_b, sva)
    world.check(NoCrossBindingFault(), EveryLastIsAnsweredOnce(), NoDmaIntoForeignFrame())
    world.expect(RequestQueuedWhileUnbound())
