"""How a stream is taken out of service while its DMA is stalled: STALL_TERM ends the stalls that it finds, and no later
ones."""

from __future__ import annotations

from actors.runtime.world import World
from drivers.smmuv3.evtq import EventQueue
from drivers.smmuv3.stall_shutdown import SHUTDOWNS
from hw.smmuv3.ste import ste_address

from ..boards.endpoint import SID
from ..boards.stalling import stall_board
from ..oracles.every_event_is_taken import EveryEventIsTaken
from ..oracles.every_stall_is_resumed import EveryStallIsResumed
from ..parameters import Parameters, number, one_of
from ..scenario import Expected, scenario
from ..witnesses.access_stalls import AccessStalls

HANG = "no-deadlock"
EXPECTED = (
    Expected(
        params={"order": "term-first"},
        leaves=("F_TRANSLATION stalled",),
        verdict="violated",
        oracle=HANG,
        why="an access stalls between STALL_TERM and the new STE; of one before it nobody can say whether it ends",
    ),
    Expected(
        params={"order": "no-sync"},
        leaves=("F_TRANSLATION stalled",),
        verdict="violated",
        oracle=HANG,
        why="an access stalls behind STALL_TERM, or STALL_TERM comes before CFGI_STE, and may end nothing",
    ),
    Expected(
        params={"order": "no-term"},
        leaves=("F_TRANSLATION stalled",),
        verdict="violated",
        oracle=HANG,
        why="a new configuration does not touch what has stalled",
    ),
    Expected(
        params={"order": "resume-each"},
        verdict="holds",
        why="Linux: each record is visible behind the CMD_SYNC at the latest, and answered",
    ),
    Expected(
        params={"order": "architected"},
        verdict="holds",
        why="behind the CMD_SYNC all stalls are recorded and no access stalls, so STALL_TERM meets all",
    ),
    Expected(
        params={"order": "architected", "early": 1},
        verdict="holds",
        why="an early retry sees the new STE and aborts; its STAG is freed by STALL_TERM all the same",
    ),
    Expected(
        params={"order": "architected", "accesses": 2},
        verdict="holds",
        why="one STALL_TERM for two accesses",
    ),
    Expected(
        params={"order": "architected", "accesses": 2, "stags": 1},
        verdict="holds",
        why="the access that waits for a STAG begins anew once CFGI_STE has outdated it, and aborts",
    ),
    Expected(
        params={"order": "architected", "accesses": 2, "evtq": 0},
        verdict="holds",
        why="the same for an access that waits for room in the EVTQ",
    ),
)


class StallTerm(Parameters):
    """The order of a shutdown, and what stalls."""

    order = one_of(*SHUTDOWNS, default="architected", meaning="in which order device, STE and stalls are seen to")
    accesses = number(1, 2, default=1, meaning="writes that the device makes at the same time")
    stags = number(1, 2, default=2, meaning="STAGs of the stream: how many of its accesses may be stalled at a time")
    evtq = number(0, 1, default=1, meaning="log2 of the event queue's entries")
    early = number(0, 1, default=0, meaning="whether the SMMU may retry a stalled access by itself")


@scenario(
    StallTerm,
    source="IHI 0070, as restated in smmuv3 §2.5: stop, STE := abort, CFGI_STE, CMD_SYNC, STALL_TERM, wait",
    expected=EXPECTED,
)
def stall_term(world: World, given: StallTerm) -> None:
    """A driver takes a device out of service whose accesses find no page."""
    board = stall_board(
        world,
        accesses=given.accesses,
        log2size=given.evtq,
        early=given.early,
        outstanding=given.accesses,
        stags=given.stags,
    )
    ste = ste_address(board.units.smmu.stream_table, SID)
    shutdown = SHUTDOWNS[given.order](board.endpoint, board.cmdq, ste, SID)
    world.add_actor("driver", shutdown.run)
    board.start(EventQueue(board.registers, board.evtq_ring, board.evtq_irq, shutdown.handle))

    world.check(EveryStallIsResumed(), EveryEventIsTaken())
    world.expect(AccessStalls())
