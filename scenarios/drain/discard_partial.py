"""Race SMMU-R49: requests that an overflow made worthless are freed, and stay on the list that the next group walks."""

from __future__ import annotations

from actors.devices.prefetcher import Prefetcher
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from drivers.kernel.faults.iopf_objects import DISCARD

from ..boards.smmuv3 import smmuv3_platform
from ..oracles.no_double_free import NoDoubleFree
from ..oracles.no_use_after_free import NoUseAfterFree
from ..oracles.nothing_leaks import NothingLeaks
from ..parameters import one_of
from ..scenario import Expected, scenario
from ..witnesses.goals import overflow_again
from ..witnesses.partial_is_discarded import PartialIsDiscarded
from .queue_ack import QueueAck

EXPECTED = (
    Expected(
        params={"discard": "no-unlink"},
        verdict="violated",
        oracle="no-use-after-free",
        why="the list still points to what was freed, and the next Last walks the list",
    ),
    Expected(
        params={"discard": "no-unlink", "group": 3},
        verdict="violated",
        oracle="no-double-free",
        why="the group that comes next takes what is still on the list for its own, and frees it with its answer",
    ),
    Expected(
        params={"discard": "no-free"},
        verdict="violated",
        oracle="nothing-leaks",
        why="an answered group keeps the memory of its requests",
    ),
    Expected(params={"discard": "unlink"}, verdict="holds", why="as merged: list_del, then kfree"),
    Expected(params={"discard": "no-unlink", "group": 1}, verdict="vacuous", why="no partials, nothing to discard"),
)


@scenario(
    source="iopf_queue_discard_partial in series v6 (April 2020, never merged): iommu: Add I/O page fault queue",
    expected=EXPECTED,
    discard=one_of(*DISCARD, default="no-unlink", meaning="what becomes of a request whose Last never comes"),
    requests=QueueAck.requests,
    group=QueueAck.group,
)
def discard_partial(world: World, *, discard: str, requests: int, group: int) -> None:
    """An overflow makes the PRI thread discard half of a group; the next group comes."""
    board = smmuv3_platform(
        world,
        device=Prefetcher,
        report=0,
        requests=requests,
        group=group,
        priq_log2size=0,
        credits=group,
        put_async=True,
        iopf=DISCARD[discard],
    )
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)

    world.check(NoUseAfterFree(), NoDoubleFree(), NothingLeaks())
    world.expect(PartialIsDiscarded())
    world.goal(overflow_again())
