"""Races R02 and R07: when, and whether, software acknowledges that the PRI queue has overflowed."""

from __future__ import annotations

from actors.fault_worker import add_fault_worker
from actors.prefetcher import Prefetcher
from actors.pri_thread import add_pri_thread
from actors.runtime.world import World
from drivers.priq_variants import ACKNOWLEDGE

from .oracles.every_last_is_answered_once import EveryLastIsAnsweredOnce
from .oracles.every_overflow_is_acknowledged import EveryOverflowIsAcknowledged
from .oracles.groups_are_not_mixed import GroupsAreNotMixed
from .oracles.queue_overflows import QueueOverflows
from .platform import platform
from .scenario import Expected, number, one_of, scenario

EXPECTED = (
    Expected(
        params={"acknowledge": "never"},
        verdict="violated",
        oracle="every-overflow-is-acknowledged",
        why="R02: software believes it has acknowledged, hardware refuses every later request",
    ),
    Expected(
        params={"acknowledge": "first"},
        verdict="violated",
        oracle="groups-are-not-mixed",
        why="R07: a request whose group was answered by hardware is taken after partials were discarded",
    ),
    Expected(
        params={"acknowledge": "last"},
        verdict="holds",
        why="drained, partials discarded, acknowledged: what hardware accepts then finds an empty list",
    ),
    Expected(params={"acknowledge": "never", "group": 1}, verdict="vacuous", why="one request at a time always fits"),
)


@scenario(
    source="0d535967ac65 (July 2018): Sync the OVACKFLG to PRIQ consumer register; "
    "28a77185f1cd (January 2021): vt-d: Clear PRQ overflow only when PRQ is empty",
    expected=EXPECTED,
    acknowledge=one_of(
        "never", "first", "last", default="never", meaning="when OVACKFLG is written: drained first, or not"
    ),
    requests=number(1, 3, default=2, meaning="page request groups, one after the other"),
    group=number(1, 3, default=2, meaning="pages in a group"),
    priq=number(0, 2, default=0, meaning="log2 of the PRI queue's entries"),
)
def queue_ack(world: World, *, acknowledge: str, requests: int, group: int, priq: int) -> None:
    """The PRI queue overflows; the hardware answers the group, the device goes on with the next."""
    board = platform(
        world,
        device=Prefetcher,
        report=0,
        requests=requests,
        group=group,
        priq_log2size=priq,
        credits=group,
        put_async=True,
        queue=ACKNOWLEDGE[acknowledge],
    )
    board.add_hardware(world, ats=False)
    add_pri_thread(world, board.queue)
    add_fault_worker(world, board.iopf)

    world.check(EveryLastIsAnsweredOnce(), EveryOverflowIsAcknowledged(), GroupsAreNotMixed())
    world.expect(QueueOverflows())
