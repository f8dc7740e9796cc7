"""What the invalidation queue promises about order, waits and drains, tags, IQE and ITE."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from hw.bus import PhysAddr, Prgi, StreamId
from hw.pcie.tlp import InvalidateRequest, PrgResponse, ResponseCode
from hw.vtd import invalidation
from hw.vtd.descriptors import (
    ContextGranularity,
    ContextInvalidate,
    Descriptor,
    DeviceTlbInvalidate,
    InterruptEntryInvalidate,
    PageGroupResponse,
    WaitDescriptor,
    domain_iotlb,
    pasid_cache,
    pasid_iotlb,
)
from hw.vtd.faults import RequestKind
from hw.vtd.invalidation import Iqei
from hw.vtd.pasid import FLPT_DEFAULT_DID, Did
from hw.vtd.qi import DescriptorProgress, InvalidationQueue, Pending
from hw.vtd.registers import ICE, IQE, ITE, ITESID
from hw.vtd.ring import ByteRing
from hw.vtd.state import Transaction
from tests.hw.conftest import drive
from tests.hw.vtd_world import P1, SID, VA, World

RING = PhysAddr(0x2_0000)
STATUS = PhysAddr(0x1E004)
"""The high half of a word."""
TYPES: dict[str, Descriptor] = {
    "context": ContextInvalidate(granularity=ContextGranularity.DEVICE, sid=SID),
    "pasid cache": pasid_cache(FLPT_DEFAULT_DID, P1),
    "iotlb": domain_iotlb(Did(9)),
    "pasid iotlb": pasid_iotlb(FLPT_DEFAULT_DID, P1),
    "interrupt": InterruptEntryInvalidate(),
    "device": DeviceTlbInvalidate(sid=SID),
    "pasid device": DeviceTlbInvalidate(sid=SID, pasid=P1),
    "response": PageGroupResponse(sid=SID, pasid=P1, prgi=Prgi(0), code=0),
    "wait": WaitDescriptor(status_write=True, status_data=2, status_address=STATUS),
}


class Queue:
    """A queue of eight slots, filled and fetched at once."""

    def __init__(self, **knobs: Any) -> None:
        self.world = World(pasids=(P1,))
        self.ring = ByteRing(RING, 8)
        self.qi = InvalidationQueue(self.world.vtd, self.world.memory, self.ring, **knobs)
        self.head = 0

    def fetch(self, *descriptors: Descriptor) -> list[Pending]:
        """Software submits, hardware fetches."""
        found = [self.fetch_words(invalidation.encode(each)) for each in descriptors]
        return [each for each in found if isinstance(each, Pending)]

    def fetch_words(self, words: tuple[int, int, int, int]) -> Pending | Iqei:
        """One slot."""
        self.world.put(self.ring.slot(self.head), words)
        following = self.ring.next(self.head)
        found: Pending | Iqei = drive(self.qi.fetch(self.world.bus, self.head, following))
        if isinstance(found, Pending):
            self.head = following
        return found

    def perform(self, *pending: Pending) -> None:
        """Start and complete, in this order."""
        for each in pending:
            self.qi.start(each)
            if each.itag is None:
                self.qi.complete(each)
            else:
                self.qi.completed_by_device(SID, each.itag)

    def fsts(self) -> int:
        """The fault status."""
        return self.world.memory.read(self.world.vtd.registers.FSTS)

    def status(self) -> int:
        """What waits have written."""
        return self.world.memory.read(PhysAddr(STATUS & -8))

    def page_request(self) -> Transaction:
        """A page request that the unit has received."""
        found = Transaction(sid=SID, pasid=P1, with_pasid=True, address=VA, kind=RequestKind.PAGE_REQUEST, ordinal=0)
        self.world.vtd.begin(found)
        return found


HELD_UP = {
    *(product(("iotlb", "pasid iotlb"), ("context", "pasid cache"))),
    *(product(("device", "pasid device"), ("iotlb", "pasid iotlb", "interrupt"))),
    *(product(("wait",), TYPES)),
}


@pytest.mark.parametrize(("later", "earlier"), list(product(TYPES, TYPES)))
def test_the_order_table_cell_by_cell(later: str, earlier: str) -> None:
    queue = Queue()
    first, second = queue.fetch(TYPES[earlier], TYPES[later])
    assert queue.qi.may_start(second) is ((later, earlier) not in HELD_UP)
    assert queue.qi.blockers(second) == ((first,) if (later, earlier) in HELD_UP else ())
    assert queue.qi.may_start(first)
    queue.perform(first, second)
    assert (first.progress, second.progress) == (DescriptorProgress.COMPLETE, DescriptorProgress.COMPLETE)
    assert queue.qi.pending == []


def test_started_is_not_complete() -> None:
    queue = Queue()
    iotlb, device, wait = queue.fetch(TYPES["pasid iotlb"], TYPES["pasid device"], TYPES["wait"])
    queue.qi.start(iotlb)
    assert not queue.qi.may_start(device)
    queue.qi.complete(iotlb)
    queue.qi.start(device)
    assert not queue.qi.may_start(wait)
    assert not queue.qi.may_complete(device), "that is for the device to say"
    queue.qi.completed_by_device(SID, 0)
    queue.perform(wait)
    assert queue.status() == 2 << 32
    with pytest.raises(ValueError, match="start of"):
        queue.qi.start(wait)
    with pytest.raises(ValueError, match="completion of"):
        queue.qi.complete(wait)


def test_a_status_write_changes_its_32_bits_only() -> None:
    queue = Queue()
    queue.world.memory.write(PhysAddr(STATUS & -8), 0xAAAA_AAAA_BBBB_BBBB)
    wait = WaitDescriptor(status_write=True, status_data=3, status_address=STATUS)
    low = WaitDescriptor(status_write=True, status_data=4, status_address=PhysAddr(STATUS - 4))
    pending = queue.fetch(wait, low)
    assert queue.qi.completion_footprint(pending[0]) == (("word", STATUS - 4),)
    queue.perform(*pending)
    assert queue.status() == 0x3_0000_0004
    nowhere = queue.fetch(WaitDescriptor(status_write=True, status_address=PhysAddr(0x1000_0000)))
    queue.perform(*nowhere)
    assert nowhere[0].progress is DescriptorProgress.COMPLETE


def test_a_wait_may_raise_an_interrupt_once() -> None:
    queue = Queue()
    first, second = queue.fetch(WaitDescriptor(interrupt=True), WaitDescriptor(interrupt=True))
    queue.qi.start(first)
    assert len(queue.qi.completion_footprint(first)) == 2
    assert queue.qi.complete(first)
    assert queue.world.memory.read(queue.world.vtd.registers.ICS) == 1
    queue.qi.start(second)
    assert not queue.qi.complete(second), "IWC was still set"


def test_only_a_fence_holds_up_what_follows() -> None:
    queue = Queue()
    _, plain, behind = queue.fetch(TYPES["device"], WaitDescriptor(), TYPES["context"])
    assert not queue.qi.may_start(plain)
    assert queue.qi.may_start(behind)
    assert not queue.qi.fenced
    queue = Queue()
    (fence,) = queue.fetch(WaitDescriptor(fence=True))
    assert queue.qi.fenced, "so that nothing more is fetched"
    queue.perform(fence)
    assert not queue.qi.fenced


def test_an_invalidation_waits_for_who_uses_the_translation() -> None:
    queue = Queue()
    user = Transaction(sid=SID, pasid=P1, with_pasid=True, address=VA, kind=RequestKind.TRANSLATION)
    queue.world.vtd.begin(user)
    cache, iotlb, device = queue.fetch(TYPES["pasid cache"], TYPES["pasid iotlb"], TYPES["pasid device"])
    queue.perform(cache)
    assert user.stale_config
    queue.qi.start(iotlb)
    assert user.stale_translation
    assert not queue.qi.may_complete(iotlb)
    assert not queue.qi.may_start(device)
    queue.world.vtd.finish(user)
    queue.qi.complete(iotlb)
    assert queue.qi.may_start(device)


def test_a_drain_waits_for_page_requests_received_ahead_of_it() -> None:
    queue = Queue()
    early = queue.page_request()
    plain, drain = queue.fetch(WaitDescriptor(), WaitDescriptor(drain=True))
    queue.perform(plain)
    queue.qi.start(drain)
    late = queue.page_request()
    assert not queue.qi.may_complete(drain)
    queue.world.vtd.finish(early)
    assert queue.qi.may_complete(drain), "the later one is not ahead of it"
    assert queue.world.vtd.page_requests == (late,)


def test_a_drain_waits_for_responses_to_leave() -> None:
    queue = Queue()
    response, plain, drain = queue.fetch(TYPES["response"], WaitDescriptor(), WaitDescriptor(drain=True))
    message = queue.qi.start(response)
    assert message == PrgResponse(sid=SID, pasid=P1, prgi=Prgi(0), code=ResponseCode.SUCCESS)
    queue.qi.complete(response)
    queue.perform(plain)
    queue.qi.start(drain)
    assert not queue.qi.may_complete(drain)
    queue.qi.left(response)
    assert queue.qi.may_complete(drain)


@pytest.mark.parametrize(("code", "on_the_wire"), [(0, 0), (1, 1), (2, 15), (15, 15)])
def test_response_codes(code: int, on_the_wire: int) -> None:
    queue = Queue()
    (response,) = queue.fetch(PageGroupResponse(sid=SID, prgi=Prgi(3), code=code))
    message = queue.qi.start(response)
    assert isinstance(message, PrgResponse)
    assert message.code == on_the_wire


def test_without_pds_a_drain_does_not_drain() -> None:
    """Race VTD-R25."""
    queue = Queue(pds=False)
    queue.page_request()
    queue.perform(*queue.fetch(WaitDescriptor(drain=True)))
    strict = Queue(pds=False, pd_is_reserved=True)
    assert strict.fetch_words(invalidation.encode(WaitDescriptor(drain=True))) is Iqei.RESERVED
    assert strict.fetch(WaitDescriptor())


def device(sid: int = 1, queue_depth: int = 0) -> DeviceTlbInvalidate:
    """An invalidation of a device's whole TLB."""
    return DeviceTlbInvalidate(sid=StreamId(sid), pasid=P1, queue_depth=queue_depth)


def test_itags_are_unique_and_taken_in_turn() -> None:
    queue = Queue(itags=2)
    first, second, third = queue.fetch(device(), device(), device())
    sent = [queue.qi.start(each) for each in (first, second)]
    assert [each.itag for each in sent if isinstance(each, InvalidateRequest)] == [0, 1]
    assert not queue.qi.may_start(third), "no tag is free"
    assert queue.qi.completed_by_device(SID, 0) is first
    message = queue.qi.start(third)
    assert isinstance(message, InvalidateRequest)
    assert message.itag == 0
    for itags in (0, 33):
        with pytest.raises(ValueError, match=r"allowed are 1\.\.32"):
            Queue(itags=itags)


def test_a_device_takes_no_more_than_its_queue_depth() -> None:
    queue = Queue()
    first, second, other = queue.fetch(device(queue_depth=1), device(queue_depth=1), device(sid=2, queue_depth=1))
    queue.qi.start(first)
    assert not queue.qi.may_start(second)
    queue.qi.start(other)
    queue.qi.completed_by_device(SID, 0)
    assert queue.qi.may_start(second)


def test_a_completion_that_nobody_waits_for_sets_ice() -> None:
    queue = Queue()
    (pending,) = queue.fetch(device())
    queue.qi.start(pending)
    assert queue.qi.completed_by_device(StreamId(2), 0) is None, "another device's tag"
    assert queue.fsts() == ICE.mask
    assert queue.world.memory.read(queue.world.vtd.registers.IQER) == 2 << 48
    assert not queue.qi.stopped, "ICE stops nothing"
    assert queue.qi.completed_by_device(SID, 0) is pending


def test_a_time_out_aborts_every_pending_wait() -> None:
    """One dead device makes every submitter retry (race VTD-R21)."""
    queue = Queue()
    dead, first, alive, second = queue.fetch(device(sid=2), TYPES["wait"], device(), WaitDescriptor(fence=True))
    for each in (dead, alive):
        queue.qi.start(each)
    assert queue.qi.time_out(dead) == (first, second)
    assert (queue.fsts(), queue.qi.stopped, queue.qi.fenced) == (ITE.mask, True, False)
    assert ITESID.get(queue.world.memory.read(queue.world.vtd.registers.IQER)) == 2
    assert {each.progress for each in (dead, first, second)} == {DescriptorProgress.ABORTED}
    assert queue.status() == 0, "aborted waits never say anything"
    assert queue.qi.completed_by_device(SID, 1) is alive
    assert queue.qi.completed_by_device(StreamId(2), 0) is None
    assert queue.fsts() == ITE.mask | ICE.mask
    queue.world.memory.write(queue.world.vtd.registers.FSTS, 0)
    assert not queue.qi.stopped
    queue.perform(*queue.fetch(TYPES["wait"]))
    assert queue.status() == 2 << 32


def test_a_late_completion_may_meet_a_tag_that_is_used_again() -> None:
    queue = Queue(itags=1)
    (lost,) = queue.fetch(device())
    queue.qi.start(lost)
    queue.qi.time_out(lost)
    (again,) = queue.fetch(device())
    queue.qi.start(again)
    assert queue.qi.completed_by_device(SID, 0) is again, "hardware cannot tell"
    with pytest.raises(ValueError, match="no device owes"):
        queue.qi.time_out(again)


def test_the_first_time_out_names_the_device() -> None:
    queue = Queue()
    first, second = queue.fetch(device(sid=2), device(sid=3))
    queue.qi.start(first)
    queue.qi.start(second)
    queue.qi.time_out(first)
    queue.qi.time_out(second)
    assert ITESID.get(queue.world.memory.read(queue.world.vtd.registers.IQER)) == 2


@pytest.mark.parametrize(("words", "reason"), [((0xA, 0, 0, 0), Iqei.TYPE), ((0x105, 0, 0, 0), Iqei.RESERVED)])
def test_a_bad_descriptor_stops_the_queue_and_stays_at_its_head(words: tuple[int, int, int, int], reason: Iqei) -> None:
    queue = Queue()
    (ahead,) = queue.fetch(TYPES["wait"])
    queue.world.bus.steps.clear()
    assert queue.fetch_words(words) is reason
    assert queue.world.bus.steps == ["fetch IQ[1]", f"IQE: {reason.name}"]
    assert (queue.fsts(), queue.qi.stopped, queue.head) == (IQE.mask, True, 32)
    assert queue.world.memory.read(queue.world.vtd.registers.IQER) == reason
    queue.perform(ahead)
    assert queue.status() == 2 << 32, "what was fetched before goes on"
    # Linux puts a harmless wait into the slot and clears IQE
    queue.world.memory.write(queue.world.vtd.registers.FSTS, 0)
    queue.perform(*queue.fetch(WaitDescriptor()))


def test_queues_that_cannot_be_read() -> None:
    queue = Queue()
    assert drive(queue.qi.fetch(queue.world.bus, 0, 16)) is Iqei.TAIL
    assert drive(queue.qi.fetch(queue.world.bus, 0, 256)) is Iqei.TAIL
    far = InvalidationQueue(queue.world.vtd, queue.world.memory, ByteRing(PhysAddr(0x1000_0000), 8))
    assert drive(far.fetch(queue.world.bus, 0, 32)) is Iqei.FETCH
    assert queue.world.bus.touched[-1][1] == queue.qi.error_footprint()


def test_numbers_tell_one_use_of_a_slot_from_the_next() -> None:
    queue = Queue()
    pending = [queue.fetch(WaitDescriptor())[0] for _ in range(9)]
    assert [each.slot for each in pending] == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert [each.number for each in pending] == list(range(9))
    assert not queue.qi.may_start(pending[8])
    queue.perform(*pending)
    assert all(each.ended for each in pending)
