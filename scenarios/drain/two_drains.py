"""Two PASIDs of one IOMMU are unbound at once, and both drain its page request queue."""

from __future__ import annotations

from functools import partial
from typing import Any

from actors.devices.prefetcher import SilentPrefetcher
from actors.runtime.world import Cpu, World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.vtd.prq import PrqDrain
from drivers.vtd.prq_completion import CompletesOne, LockedDrain, SharedCompletionDrain

from ..boards.vtd import vtd_platform
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.request_queued_while_unbound import RequestQueuedWhileUnbound

HANG = "no-deadlock"
EXPECTED = (
    Expected(
        params={"completion": "shared"},
        verdict="violated",
        oracle=HANG,
        why="the batch of one drainer is done, the other initialises the completion again before it has looked: it "
        "waits until some device of this IOMMU asks for a page again",
    ),
    Expected(
        params={"completion": "shared", "drainers": "one"},
        verdict="holds",
        why="nobody else initialises it between the look at the queue and the wait",
    ),
    Expected(
        params={"completion": "shared-locked"},
        verdict="holds",
        why="iommu_sva_lock is held around every iommu_sva_unbind_device: one drainer at a time",
    ),
    Expected(
        params={"completion": "per-waiter"},
        verdict="holds",
        why="who counts batches cannot be robbed of one",
    ),
)

DRAINS: dict[str, dict[str, Any]] = {
    "shared": {"queue": CompletesOne, "drain": SharedCompletionDrain},
    "shared-locked": {"queue": CompletesOne, "drain": LockedDrain},
    "per-waiter": {"drain": PrqDrain},
}


@scenario(
    source="Linux 6.12 to 7.0, drivers/iommu/intel/prq.c: one prq_complete for an IOMMU (vtd-pcie §3.5, §3.6)",
    expected=EXPECTED,
    completion=one_of(*DRAINS, default="shared", meaning="whose the completion is that a drainer waits for"),
    drainers=one_of("two", "one", default="two", meaning="whether a second PASID is unbound meanwhile"),
)
def two_drains(world: World, *, completion: str, drainers: str) -> None:
    """A device has asked for a page of PASID 1, which is unbound; PASID 2, which asks for nothing, is unbound, too."""
    parts = dict(DRAINS[completion])
    if completion == "shared-locked":
        parts["drain"] = partial(LockedDrain, world.mutex("iommu_sva_lock"))
    board = vtd_platform(world, device=SilentPrefetcher, pasids=2, put_async=False, **parts)
    other = board.pasids.bind_now(board.mm_b)

    async def unbind(cpu: Cpu) -> None:
        await board.endpoint.stop(cpu, board.bond.pasid)
        await board.drain.run(cpu, board.bond)

    async def unbind_other(cpu: Cpu) -> None:
        await board.drain.run(cpu, other)

    world.add_actor("process", unbind)
    if drainers == "two":
        world.add_actor("other process", unbind_other)
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    world.check(EveryLastIsAnsweredOnce())
    world.expect(RequestQueuedWhileUnbound())
