"""What the SMMU's units tell a device: automatic and requested responses, and the end of what STALL_TERM meets."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actors.bus_master import BusMaster
from actors.device import Device
from actors.runtime.events import Outcome
from actors.runtime.world import Cpu, Session, World
from drivers.evtq import EventQueue
from drivers.stall_shutdown import SHUTDOWNS
from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.events import PageRequestQueued, PageRequestRefused, ResponseSent
from hw.memory import FRAME_BYTES
from hw.pcie.tlp import NO_PASID, PageRequest
from hw.smmuv3 import commands
from hw.smmuv3.commands import PriResp
from hw.smmuv3.registers import CMDQEN, PRIQEN, SMMUEN
from hw.smmuv3.ste import cdtable_ste, ste_address
from scenarios.board import PASID, SID, write_words
from scenarios.smmuv3_board import SmmuPlatform, smmuv3_platform
from scenarios.stall_board import stall_board
from tests.explore.searching import search
from tests.running import run
from tools.explore.dpor import Dpor

FAILURE, SUCCESS = 15, 0


def ppr(prgi: int, pasid: Pasid = PASID, *, last: bool = True, sid: StreamId = SID) -> PageRequest:
    """A page request to read."""
    return PageRequest(
        sid=sid, pasid=pasid, address=VirtAddr(0x7000), read=True, write=False, last=last, prgi=Prgi(prgi)
    )


def answers(requests: Sequence[PageRequest], prepare: str = "", ppar: bool = False) -> list[tuple[int, int, int]]:
    """PRGI, code and PASID of each automatic response to requests that meet a queue of two entries."""

    def build(world: World) -> None:
        made = smmuv3_platform(world, device=Device, priq_log2size=1)
        units = made.units
        if prepare == "disabled":
            world.memory.write(units.smmu.registers.CR0, SMMUEN.mask | CMDQEN.mask)
        if prepare == "translation off":
            world.memory.write(units.smmu.registers.CR0, PRIQEN.mask | CMDQEN.mask)
        if prepare == "no table":
            units.smmu.stream_table = PhysAddr(1000 * FRAME_BYTES)
        if ppar:
            entry = cdtable_ste(s1_context_ptr=PhysAddr(0x1000), s1cdmax=1, ppar=True)
            write_words(world, ste_address(units.smmu.stream_table, SID), entry)
        add_sender(world, made, requests)

    execution = run(build, audit=True)
    assert execution.outcome is Outcome.QUIET, execution.finding
    told = [event for _, _, event in execution.world.events]
    queued = [event for event in told if isinstance(event, PageRequestQueued)]
    refused = [event for event in told if isinstance(event, PageRequestRefused)]
    assert len(queued) + len(refused) == len(requests)
    assert {event.why for event in refused} <= {
        "disabled" if prepare in ("disabled", "translation off") else "overflow"
    }
    return [(event.prgi, event.code, event.pasid) for event in told if isinstance(event, ResponseSent)]


def add_sender(world: World, made: SmmuPlatform, requests: Sequence[PageRequest]) -> None:
    """A device that sends page requests, and the SMMU's link."""

    async def send(cpu: Cpu) -> None:
        for request in requests:
            await made.units.upstream.send_posted(request, "send PPR")

    world.add_actor("device", send)
    world.add_actor("smmu.link", made.units.link, daemon=True)


@pytest.mark.parametrize("switched_off", ["disabled", "translation off"])
def test_without_priqen_every_request_fails_without_a_pasid(switched_off: str) -> None:
    """IHI 0070 §8.2; a Stop Marker wants no answer."""
    marker = PageRequest(sid=SID, pasid=PASID, address=VirtAddr(0), read=False, write=False, last=True, prgi=Prgi(0))
    requests = [ppr(1, last=False), ppr(2), marker]
    assert answers(requests, switched_off) == [(1, FAILURE, NO_PASID), (2, FAILURE, NO_PASID)]


@pytest.mark.parametrize(
    ("request_3", "prepare", "ppar", "expected"),
    [
        (ppr(3), "", False, (3, SUCCESS, NO_PASID)),
        (ppr(3), "", True, (3, SUCCESS, PASID)),
        (ppr(3, NO_PASID), "", True, (3, SUCCESS, NO_PASID)),
        (ppr(3), "no table", False, (3, FAILURE, NO_PASID)),
        (ppr(3, NO_PASID), "no table", False, (3, SUCCESS, NO_PASID)),
        (ppr(3, sid=StreamId(5)), "", False, (3, FAILURE, NO_PASID)),
    ],
)
def test_the_pasid_of_an_automatic_response_is_the_entrys_to_say(
    request_3: PageRequest, prepare: str, ppar: bool, expected: tuple[int, int, int]
) -> None:
    """IHI 0070 §8.1: STE.PPAR, and Failure only where a PASID's STE cannot be read."""
    assert answers([ppr(1), ppr(2), request_3], prepare, ppar) == [expected]


@pytest.mark.parametrize("pasid", [PASID, NO_PASID])
def test_a_response_has_a_pasid_if_its_command_has(pasid: Pasid) -> None:
    """IHI 0070 §4.5.2: SSV = 0 is no PASID prefix, not PASID 0."""

    def build(world: World) -> None:
        made = smmuv3_platform(world, device=Device)

        async def respond(cpu: Cpu) -> None:
            ssid = None if pasid == NO_PASID else pasid
            await made.cmdq.issue(cpu, commands.pri_resp(SID, ssid, Prgi(4), PriResp.SUCCESS))

        world.add_actor("cpu0", respond)
        world.add_actor("smmu.cmdq", made.units.command_queue, daemon=True)

    execution = run(build, audit=True)
    sent = [event for _, _, event in execution.world.events if isinstance(event, ResponseSent)]
    assert [(event.pasid, event.prgi, event.code) for event in sent] == [(pasid, 4, SUCCESS)]


@pytest.mark.parametrize(("order", "runs"), [("architected", 7), ("resume-each", 9)])
def test_the_device_hears_that_a_stalled_write_was_lost(order: str, runs: int) -> None:
    """IHI 0070 §4.7.2: with the STE made to abort before, STALL_TERM ends stalled accesses in an abort."""
    devices: list[BusMaster] = []
    session = Session()

    def make() -> World:
        world = World(session)
        board = stall_board(world, accesses=1, log2size=1, early=0)
        devices.append(board.device)
        ste = ste_address(board.units.smmu.stream_table, SID)
        shutdown = SHUTDOWNS[order](board.endpoint, board.cmdq, ste, SID)
        world.add_actor("driver", shutdown.run)
        board.start(EventQueue(board.registers, board.evtq_ring, board.evtq_irq, shutdown.handle))
        return world

    aborted: list[int] = []
    report = search(make, Dpor(), watch=lambda _: aborted.append(devices[-1].aborted))
    assert (report.schedules, report.failing) == (runs, 0)
    assert aborted == [1] * runs
