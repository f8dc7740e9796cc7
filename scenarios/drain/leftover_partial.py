"""Race SMMU-R07: half of a group that hardware has answered is left in the queue, and joins somebody else's group."""

from __future__ import annotations

from actors.devices.prefetcher import Prefetcher, WaitingPrefetcher
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread
from actors.threads.process_exit import add_process
from drivers.kernel.endpoint import REPORT
from drivers.kernel.sva import VARIANTS

from ..boards.contexts import add_next_owner, add_second_pasid
from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.no_cross_binding_fault import NoCrossBindingFault
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.queue_overflows import QueueOverflows

HARM = "no-cross-binding-fault"
EXPECTED = (
    Expected(
        params={"owner": "next"},
        verdict="violated",
        oracle=HARM,
        why="the device has its answer and says CLEAN, so unbind waits for nothing; the leftover is taken behind the "
        "discard, and the next owner's group has its PRGIndex",
    ),
    Expected(
        params={"owner": "next", "drain": "full"}, verdict="holds", why="whatever the flags say, the queue is emptied"
    ),
    Expected(
        params={"owner": "next", "acknowledge": "last"},
        verdict="holds",
        why="nothing more is accepted before the leftover is discarded, whoever owns the PASID by then",
    ),
    Expected(
        params={"owner": "second"},
        verdict="violated",
        oracle=HARM,
        why="partials are matched by PRGIndex alone: an address of process A is faulted in for process B, and nobody "
        "has been unbound",
    ),
    Expected(params={"owner": "second", "acknowledge": "last"}, verdict="holds", why="as for the next owner"),
    Expected(
        params={"owner": "second", "iommu": "vtd"},
        verdict="holds",
        why="VT-d's thread moves the head behind its batch: there is no room for PASID 2 before the leftover is "
        "discarded",
    ),
)


class LeftoverPartial(Parameters):
    """Who works with the device after the overflow, and what should have kept the leftover from it."""

    owner = one_of(
        "next", "second", default="next", meaning="who asks after it: the PASID's next owner, or another PASID"
    )
    acknowledge = one_of(*words_of("acknowledge"), default="first", meaning="when an overflow is acknowledged")
    drain = one_of(*VARIANTS, default="marker", meaning="what unbind waits for; the device says that it is CLEAN")
    requests = number(1, 3, default=1, meaning="page request groups of process A")
    iommu = iommu_with("acknowledge")


@scenario(
    LeftoverPartial,
    source="28a77185f1cd (January 2021): vt-d: Clear PRQ overflow only when PRQ is empty; IHI 0070 §8.1: the SMMU "
    "answers the Last of a group that it cannot queue with Success, so the device is done with the group (seed 000)",
    expected=EXPECTED,
)
def leftover_partial(world: World, given: LeftoverPartial) -> None:
    """The Last of a group overflows and is answered Success; the rest of the group outlives it."""
    board = platform(
        world,
        given.iommu,
        parts_of(given.iommu, acknowledge=given.acknowledge),
        device=WaitingPrefetcher if given.owner == "next" else Prefetcher,
        report=REPORT["right"]["A"],
        requests=given.requests,
        group=2,
        priq_log2size=0,
        credits=3,  # for both contexts at once
        pasids=2 if given.owner == "second" else 1,
    )
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)
    if given.owner == "second":
        add_second_pasid(world, board)
    else:
        sva = board.sva(world, VARIANTS[given.drain])
        add_process(world, "unbind", board.mm_a, board.bond, sva, board.endpoint)
        add_next_owner(world, board, sva)
    world.check(NoCrossBindingFault(), EveryLastIsAnsweredOnce())
    world.expect(QueueOverflows())
