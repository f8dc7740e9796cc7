"""VT-d's queues from both sides: no room in the ring, and what no sane driver or device would put into them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.devices.device import Device
from actors.runtime.primitives.events import Outcome
from actors.runtime.runs.scheduler import RandomWalk
from actors.runtime.world import Cpu, World
from actors.threads.pri_thread import add_pri_thread
from drivers.events.binding import Answered, FaultResolved
from drivers.vtd.qi_errors import ReplacesRefused
from hw.bus import Prgi, VirtAddr
from hw.events.link import PageRequestQueued, ResponseReceived
from hw.pcie.tlp import PageRequest, ResponseCode
from hw.vtd.descriptors import WaitDescriptor, pasid_cache, pasid_iotlb
from hw.vtd.events import DescriptorDone, QueueStopped
from hw.vtd.pasid import FLPT_DEFAULT_DID
from scenarios.boards import vtd
from scenarios.boards.endpoint import PASID, SID
from scenarios.boards.vtd import VtdPlatform, vtd_platform
from scenarios.scenario import Scenario
from tests.running import run, runs
from tests.searching import exhaust


class Idle(Device):
    """Sends nothing by itself."""

    async def engine(self, cpu: Cpu) -> None:
        """Nothing."""


def board(world: World) -> VtdPlatform:
    """A unit and its driver."""
    made = vtd_platform(world, device=Idle)
    made.add_hardware(world)
    return made


def submitters(world: World) -> None:
    """Three threads that submit two descriptors each, in a ring that has room for one of them."""
    made = board(world)

    async def submit(cpu: Cpu) -> None:
        await made.qi.submit(cpu, pasid_cache(FLPT_DEFAULT_DID, PASID), pasid_iotlb(FLPT_DEFAULT_DID, PASID))

    for number in range(3):
        world.add_actor(f"thread{number}", submit)


def test_who_finds_no_room_waits_for_the_oldest_wait_in_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vtd, "QUEUE_ENTRIES", 4)
    for execution in runs(submitters, 200, RandomWalk(5), audit=True):
        assert execution.outcome is Outcome.QUIET, execution.finding
        done = [event.text for _, _, event in execution.world.events if isinstance(event, DescriptorDone)]
        assert sorted(done) == sorted(
            f"{kind} #{3 * batch + place}"
            for batch in range(3)
            for place, kind in enumerate(("pasid-cache", "pasid-iotlb", "wait"))
        )


def test_three_threads_in_a_small_ring_never_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vtd, "QUEUE_ENTRIES", 4)
    small = Scenario(name="small", summary="", source="", params={}, build=submitters)
    report = exhaust(small, {})
    assert (report.schedules, report.found) == (18, {})


@pytest.mark.parametrize(
    ("words", "error"), [((0xA, 0, 0, 0), "IQE TYPE"), ((0x105, 0, 0, 0), "IQE RESERVED"), ((0, 0, 0, 0), "IQE TYPE")]
)
def test_a_descriptor_that_nobody_knows_stops_the_queue(words: tuple[int, ...], error: str) -> None:
    def build(world: World) -> None:
        made = board(world)
        queue = made.units.queue

        async def garbage(cpu: Cpu) -> None:
            await cpu.store_words(queue.queue.ring.slot(0), words, "IQ[0] = garbage")
            await queue.doorbell.move(cpu, queue.queue.ring.next(0))

        world.add_actor("driver", garbage)

    execution = run(build, audit=True)
    assert execution.outcome is Outcome.QUIET
    assert [event for _, _, event in execution.world.events] == [QueueStopped(error=error, aborted=0)]


def refused_in_the_middle(world: World) -> None:
    """A batch whose first descriptor hardware does not take, and others before, beside and behind it."""
    made = vtd_platform(world, device=Idle, qi=ReplacesRefused)
    made.add_hardware(world)
    made.units.invalidations.pds, made.units.invalidations.pd_is_reserved = False, True
    iotlb = pasid_iotlb(FLPT_DEFAULT_DID, PASID)

    async def wrong(cpu: Cpu) -> None:
        assert not await made.qi.submit(cpu, WaitDescriptor(drain=True), iotlb)

    async def right(cpu: Cpu) -> None:
        for _ in range(3):
            assert await made.qi.submit(cpu, iotlb)

    world.add_actor("wrong", wrong)
    world.add_actor("right", right)


@pytest.mark.parametrize(("slots", "schedules"), [(4, 396), (16, 136)])
def test_only_the_batch_that_hardware_refuses_fails_whoever_finds_it(
    slots: int, schedules: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In four slots each is used again, also the one whose status word says that a submission failed."""
    monkeypatch.setattr(vtd, "QUEUE_ENTRIES", slots)
    report = exhaust(Scenario(name="refused", summary="", source="", params={}, build=refused_in_the_middle), {})
    assert (report.schedules, report.found) == (schedules, {})
    for execution in runs(refused_in_the_middle, 50, RandomWalk(5), audit=True):
        assert execution.outcome is Outcome.QUIET, execution.finding
        stops = [event for _, _, event in execution.world.events if isinstance(event, QueueStopped)]
        assert stops == [QueueStopped(error="IQE RESERVED", aborted=0)]


BAD: dict[str, dict[str, Any]] = {
    "not canonical": {"address": VirtAddr(1 << 47)},
    "privileged": {"priv": True},
    "to execute and read": {"execute": True, "read": True},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
@pytest.mark.parametrize("last", [True, False])
def test_a_page_request_that_no_process_could_grant_is_answered_by_the_thread(
    fields: dict[str, Any], last: bool
) -> None:
    plain = PageRequest(
        sid=SID, pasid=PASID, address=VirtAddr(0x10_0000), read=False, write=True, last=last, prgi=Prgi(3)
    )

    def build(world: World) -> None:
        made = board(world)
        add_pri_thread(world, made.queue)

        async def device(cpu: Cpu) -> None:
            await made.device.upstream.send_posted(replace(plain, **fields), "send PPR")

        world.add_actor("bad device", device)

    events = [event for _, _, event in run(build, audit=True).world.events]
    assert [type(event) for event in events if isinstance(event, PageRequestQueued | FaultResolved)] == [
        PageRequestQueued
    ]
    codes = [event.code for event in events if isinstance(event, Answered | ResponseReceived)]
    assert codes == ([ResponseCode.INVALID] * 2 if last else [])
