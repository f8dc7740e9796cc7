"""Races SMMU-R02 and SMMU-R07: when, and whether, software acknowledges that the PRI queue has overflowed."""

from __future__ import annotations

from actors.devices.prefetcher import Prefetcher
from actors.runtime.world import World
from actors.threads.fault_worker import add_fault_worker
from actors.threads.pri_thread import add_pri_thread

from ..boards.platform import iommu_with, parts_of, platform, words_of
from ..oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from ..oracles.every_overflow_is_acknowledged import EveryOverflowIsAcknowledged
from ..oracles.groups_are_not_mixed import GroupsAreNotMixed
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.goals import overflow_again
from ..witnesses.queue_overflows import QueueOverflows

EXPECTED = (
    Expected(
        params={"acknowledge": "never"},
        verdict="violated",
        oracle="every-overflow-is-acknowledged",
        why="SMMU-R02: software believes it has acknowledged, hardware refuses every later request",
    ),
    Expected(
        params={"acknowledge": "first"},
        verdict="violated",
        oracle="groups-are-not-mixed",
        why="SMMU-R07: a request whose group was answered by hardware is taken after partials were discarded",
    ),
    Expected(
        params={"acknowledge": "last"},
        verdict="holds",
        why="drained, partials discarded, acknowledged: what hardware accepts then finds an empty list",
    ),
    Expected(params={"acknowledge": "never", "group": 1}, verdict="vacuous", why="one request at a time always fits"),
    Expected(
        params={"acknowledge": "never", "iommu": "vtd"},
        verdict="violated",
        oracle="every-overflow-is-acknowledged",
        why="PRO stays set, and nothing is queued any more, whatever room there is",
    ),
    Expected(
        params={"acknowledge": "first", "requests": 3, "iommu": "vtd"},
        verdict="violated",
        oracle="groups-are-not-mixed",
        why="race VTD-R03, before 28a77185f1cd: the head moves a batch at a time, so it takes a third group",
    ),
    Expected(
        params={"acknowledge": "last", "iommu": "vtd"},
        verdict="holds",
        why="the pointers are read again: emptied, partials discarded, cleared",
    ),
)


class QueueAck(Parameters):
    """When an overflow is acknowledged, and what makes one."""

    acknowledge = one_of(
        *words_of("acknowledge"),
        default="never",
        meaning="when OVACKFLG is written (or PRO cleared): drained first, or not",
    )
    requests = number(1, 3, default=2, meaning="page request groups, one after the other")
    group = number(1, 3, default=2, meaning="pages in a group")
    priq = number(0, 2, default=0, meaning="log2 of the PRI queue's entries")
    iommu = iommu_with("acknowledge")


@scenario(
    QueueAck,
    source="0d535967ac65 (July 2018): Sync the OVACKFLG to PRIQ consumer register; "
    "28a77185f1cd (January 2021): vt-d: Clear PRQ overflow only when PRQ is empty",
    expected=EXPECTED,
)
def queue_ack(world: World, given: QueueAck) -> None:
    """The PRI queue overflows; the hardware answers the group, the device goes on with the next."""
    board = platform(
        world,
        given.iommu,
        parts_of(given.iommu, acknowledge=given.acknowledge),
        device=Prefetcher,
        report=0,
        requests=given.requests,
        group=given.group,
        priq_log2size=given.priq,
        credits=given.group,
        put_async=True,
    )
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)

    world.check(EveryLastIsAnsweredOnce(), EveryOverflowIsAcknowledged(), GroupsAreNotMixed())
    world.expect(QueueOverflows())
    world.goal(overflow_again())
