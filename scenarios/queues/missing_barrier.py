"""A driver on Armv8 memory, with one of its barriers left out (smmuv3 §3.1, §3.2, §4.4; vtd-pcie §2.4, §3.4, §3.5)."""

from __future__ import annotations

from actors.devices.device import STYLES
from actors.runtime.world import World
from actors.threads.binder import add_binder
from actors.threads.fault_worker import add_fault_worker
from actors.threads.mmu_notifier import add_mmu_notifier
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from drivers.kernel.endpoint import REPORT
from drivers.kernel.sva import VARIANTS
from drivers.smmuv3.barriers import HandsOverUnordered, LockFreeCommandsUnordered
from drivers.smmuv3.cmdq_lock_free import LockFreeCmdq

from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..oracles.no_dma_into_foreign_frame import NoDmaIntoForeignFrame
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound
from .cmdq_issue import CmdqIssue, share

LOCK_FREE: dict[str, type[LockFreeCmdq]] = {
    "all-lock-free": LockFreeCmdq,
    "before-valid-mark": LockFreeCommandsUnordered,
    "before-owner-prod": HandsOverUnordered,
}
"""Those of the SMMU's command queue that CPUs share; the others are of bind, unbind and page requests."""
EXPECTED = (
    Expected(params={"barrier": "all"}, verdict="holds", why="every order that matters is kept"),
    Expected(
        params={"barrier": "before-cmdq-prod"},
        leaves=("CERROR_ILL",),
        verdict="violated",
        oracle="no-deadlock",
        why="the SMMU sees PROD ahead of the command, takes what was in the slot for one, and stops",
    ),
    Expected(
        params={"barrier": "after-priq-prod"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="SMMU-R06: the PRI thread reads the slot before the request is there: it is lost",
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
    Expected(params={"barrier": "all", "iommu": "vtd"}, verdict="holds", why="every order that matters is kept"),
    Expected(
        params={"barrier": "before-iqt", "iommu": "vtd"},
        leaves=("IQE",),
        verdict="violated",
        oracle="no-deadlock",
        why="the unit sees IQT ahead of the descriptor, takes what was in the slot for one, and stops",
    ),
    Expected(
        params={"barrier": "after-pqt", "iommu": "vtd"},
        verdict="violated",
        oracle="every-last-is-answered-once",
        why="the thread reads the descriptor before the request is there, and answers what was there before",
    ),
    Expected(
        params={"barrier": "before-p", "iommu": "vtd"},
        verdict="holds",
        why="not needed: nobody uses the PASID before bind returns, and no absent entry is remembered",
    ),
    Expected(
        params={"barrier": "after-p-clear", "iommu": "vtd"},
        verdict="holds",
        why="not needed: the other words change behind an invalidation, whose IQT has a barrier before it",
    ),
)


@scenario(
    source="Documentation/memory-barriers.txt of Linux, and the barriers of its SMMUv3 and VT-d drivers",
    expected=EXPECTED,
    memory="arm",
    barrier=one_of(*words_of("barrier"), default="all", meaning="which one is missing; all…: none is"),
    iommu=iommu_with("barrier"),
)
def missing_barrier(world: World, *, barrier: str, iommu: str) -> None:
    """One barrier of the driver is missing: while a PASID changes hands, or CPUs share the command queue."""
    parts = parts_of(iommu, barrier=barrier)
    if barrier in LOCK_FREE:
        share(world, LOCK_FREE[barrier], CmdqIssue())
        return
    board = platform(world, iommu, parts, device=STYLES["B"], report=REPORT["right"]["B"], credits=4)
    sva = board.sva(world, VARIANTS["full"])
    board.add_hardware(world)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    add_process(world, "unbind", board.mm_a, board.bond, sva, board.endpoint)
    add_mmu_notifier(world, board.mm_a, sva)
    add_binder(world, board.mm_b, sva)
    world.check(NoCrossBindingFault(), EveryLastIsAnsweredOnce(), NoDmaIntoForeignFrame())
    world.expect(RequestQueuedWhileUnbound())
