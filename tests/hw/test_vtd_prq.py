"""The byte ring against a naive model, page request descriptors, and the PRO rules step by step."""

from __future__ import annotations

import re
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import Memory
from hw.pcie.tlp import NO_PASID, PageRequest, PrgResponse, ResponseCode, stop_marker
from hw.vtd import prq
from hw.vtd.prq import Prq, Queued, RefusalReason, Refused
from hw.vtd.registers import IM, PPR, PRO, Registers, prs_after
from hw.vtd.ring import ByteRing
from tests.hw.vtd_world import ppr

BASE = PhysAddr(0x1000)
REGISTERS = Registers(PhysAddr(0))
SID = StreamId(1)
MARKER = stop_marker(SID, Pasid(1))


def test_four_slots_hold_three_entries() -> None:
    ring = ByteRing(BASE, 4)
    pointers = [0]
    for _ in range(4):
        pointers.append(ring.next(pointers[-1]))
    assert pointers == [0, 32, 64, 96, 0]
    assert [ring.slot(pointer) for pointer in pointers[:2]] == [0x1000, 0x1020]
    assert [ring.index(pointer) for pointer in pointers] == [0, 1, 2, 3, 0]
    assert ring.full(0, 96) and ring.full(32, 0) and not ring.full(0, 64)
    assert ring.empty(64, 64) and not ring.empty(0, 64)
    assert [ring.used(0, 96), ring.used(96, 32), ring.used(32, 32)] == [3, 2, 0]
    assert [ring.valid(pointer) for pointer in (0, 96, 16, 128, -32)] == [True, True, False, False, False]
    assert ring.slot(128 + 32) == 0x1020, "bits outside the ring are not looked at"


def test_orders_are_pages_of_128_entries() -> None:
    assert ByteRing.of_order(BASE, 0).entries == 128
    assert ByteRing.of_order(BASE, 4).entries == 2048
    for entries in (0, 1, 3):
        with pytest.raises(ValueError, match="powers of two from 2"):
            ByteRing(BASE, entries)


@given(log2size=st.integers(1, 3), pushes=st.lists(st.booleans(), max_size=80))
def test_a_ring_is_a_bounded_deque(log2size: int, pushes: list[bool]) -> None:
    ring = ByteRing(BASE, 1 << log2size)
    model: deque[int] = deque()
    slots: dict[PhysAddr, int] = {}
    head = tail = 0
    for number, push in enumerate(pushes):
        assert ring.empty(head, tail) == (not model)
        assert ring.full(head, tail) == (len(model) == (1 << log2size) - 1)
        assert ring.used(head, tail) == len(model)
        if push and not ring.full(head, tail):
            slots[ring.slot(tail)] = number
            model.append(number)
            tail = ring.next(tail)
        elif not push and not ring.empty(head, tail):
            assert slots[ring.slot(head)] == model.popleft()
            head = ring.next(head)


def test_descriptor_golden() -> None:
    # TYPE 1, PP 8, RID 1 at 16, PASID 1 at 32; RD 0, LPIG 2, PRGI 5 at 3, ADDR 0x7 at 12
    assert prq.encode(ppr()) == (0x1_0001_0101, 0x702D, 0, 0)
    assert prq.encode(ppr(pasid=NO_PASID, last=False)) == (0x1_0001, 0x7029, 0, 0)
    assert prq.encode(MARKER) == (0x1_0001_0101, 4, 0, 0)
    everything = PageRequest(
        sid=StreamId(0xFFFF),
        pasid=Pasid(0xFFFFF),
        address=VirtAddr(0xFFFF_FFFF_FFFF_F000),
        read=True,
        write=True,
        last=True,
        prgi=Prgi(0x1FF),
        execute=True,
        priv=True,
    )
    assert prq.encode(everything) == (0x3F_FFFF_FFFF_0101, 0xFFFF_FFFF_FFFF_FFFF, 0, 0)


LINES = (
    "rid=0x50 addr=0x559ef6f97 r---- pasid=0x2 index=0x1",
    "rid=0x50 addr=0x559ef6f9c rw--l pasid=0x2 index=0x1",
)


@pytest.mark.parametrize("line", LINES)
def test_the_requests_of_sample_01(line: str) -> None:
    """The trace decodes the same bits as Linux: r bit 0, w 1, x 52, p 53, l 2."""
    rid, page, letters, pasid, index = re.findall(r"rid=(\w+) addr=(\w+) (\S+) pasid=(\w+) index=(\w+)", line)[0]
    q1 = int(page, 16) << 12 | int(index, 16) << 3 | ("l" in letters) << 2 | ("w" in letters) << 1 | ("r" in letters)
    q0 = int(pasid, 16) << 32 | int(rid, 16) << 16 | 1 << 8 | 1
    found = prq.decode((q0, q1, 0, 0))
    assert (found.sid, found.pasid, found.address >> 12, found.prgi) == (0x50, 2, int(page, 16), 1)
    assert (found.read, found.write, found.last) == ("r" in letters, "w" in letters, "l" in letters)
    assert prq.encode(found) == (q0, q1, 0, 0)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_descriptor_round_trip(q0: int, q1: int) -> None:
    found = prq.decode((q0, q1, 0, 0))
    assert prq.decode(prq.encode(found)) == found


def test_a_stop_marker_needs_a_pasid() -> None:
    assert MARKER.is_stop_marker
    assert not ppr(read=False, pasid=NO_PASID).is_stop_marker
    assert not ppr(read=False, last=False).is_stop_marker
    assert not ppr().is_stop_marker


def queue(entries: int = 4, *, sms: bool = True) -> Prq:
    """A page request queue in fresh memory."""
    return Prq(Memory(2), ByteRing(BASE, entries), REGISTERS, sms=sms)


def offer(to: Prq, prgi: int, *, last: bool = True) -> Queued | Refused:
    """One page request."""
    return to.accept(ppr(prgi, last=last))


def success(prgi: int) -> PrgResponse:
    """The automatic answer to an overflow."""
    return PrgResponse(sid=SID, pasid=Pasid(1), prgi=Prgi(prgi), code=ResponseCode.SUCCESS)


def state(of: Prq) -> tuple[int, int]:
    """PQT and PRS."""
    return of.memory.read(REGISTERS.PQT), of.memory.read(REGISTERS.PRS)


def test_the_interrupt_is_raised_once_until_software_clears_ppr() -> None:
    prqueue = queue()
    memory = prqueue.memory
    assert offer(prqueue, 1) == Queued(slot=PhysAddr(0x1000), interrupt=True)
    assert offer(prqueue, 2) == Queued(slot=PhysAddr(0x1020), interrupt=False)
    assert state(prqueue) == (64, PPR.mask)
    assert memory.read(PhysAddr(0x1028)) == 0x7015
    memory.write(REGISTERS.PRS, prs_after(memory.read(REGISTERS.PRS), PPR.mask))
    assert offer(prqueue, 3) == Queued(slot=PhysAddr(0x1040), interrupt=True), "even though the queue was not empty"


def test_overflow_step_by_step() -> None:
    prqueue = queue()
    memory = prqueue.memory
    for prgi in (1, 2, 3):
        offer(prqueue, prgi)
    # full: PRO is set, a Last is answered with Success; no interrupt, as PPR was set
    assert offer(prqueue, 4) == Refused(reason=RefusalReason.FULL, response=success(4))
    assert state(prqueue) == (96, PPR.mask | PRO.mask)
    # a request that is not Last is dropped without a word, a marker too
    dropped = Refused(reason=RefusalReason.OVERFLOW, response=None)
    assert offer(prqueue, 5, last=False) == dropped
    assert prqueue.accept(MARKER) == dropped
    # room does not help while PRO is set, nor does clearing PPR
    memory.write(REGISTERS.PQH, 96)
    memory.write(REGISTERS.PRS, prs_after(memory.read(REGISTERS.PRS), PPR.mask))
    assert offer(prqueue, 6) == Refused(reason=RefusalReason.OVERFLOW, response=success(6))
    assert state(prqueue) == (96, PRO.mask)
    # software clears PRO
    memory.write(REGISTERS.PRS, prs_after(memory.read(REGISTERS.PRS), PRO.mask))
    assert offer(prqueue, 7) == Queued(slot=PhysAddr(0x1060), interrupt=True)
    assert state(prqueue) == (0, PPR.mask)


def test_an_overflow_cleared_too_early_comes_back() -> None:
    """Race VTD-R03: PRO is cleared while the ring is full again."""
    prqueue = queue(2)
    memory = prqueue.memory
    offer(prqueue, 1)
    offer(prqueue, 2)
    memory.write(REGISTERS.PRS, prs_after(memory.read(REGISTERS.PRS), PRO.mask | PPR.mask))
    refused = offer(prqueue, 3)
    assert refused == Refused(reason=RefusalReason.FULL, response=success(3), interrupt=True)
    assert state(prqueue) == (32, PRO.mask)


def test_an_overflow_of_a_request_that_is_not_last_sets_pro_all_the_same() -> None:
    prqueue = queue(2)
    offer(prqueue, 1, last=False)
    assert offer(prqueue, 1, last=False) == Refused(reason=RefusalReason.FULL, response=None)
    refused = offer(prqueue, 1)
    assert refused == Refused(reason=RefusalReason.OVERFLOW, response=success(1)), "half the group is with software"
    assert state(prqueue)[1] & PRO.mask


def test_a_masked_interrupt_waits() -> None:
    prqueue = queue()
    prqueue.memory.write(REGISTERS.PECTL, IM.mask)
    assert offer(prqueue, 1) == Queued(slot=PhysAddr(0x1000), interrupt=False)
    assert prqueue.memory.read(REGISTERS.PECTL) == 0xC000_0000


def test_a_lost_marker_is_answered_only_without_sms() -> None:
    prqueue = queue(2, sms=False)
    offer(prqueue, 1)
    refused = prqueue.accept(MARKER)
    assert refused == Refused(reason=RefusalReason.FULL, response=success(0))
    roomy = queue(2)
    assert isinstance(roomy.accept(MARKER), Queued), "a marker is queued like any request"


def test_hardware_that_loses_requests_answers_none_that_finds_no_room() -> None:
    prqueue = queue(2)
    prqueue.overflow_code = None
    offer(prqueue, 1)
    for reason in (RefusalReason.FULL, RefusalReason.OVERFLOW):
        assert offer(prqueue, 2) == Refused(reason=reason, response=None)
    assert state(prqueue)[1] & PRO.mask


@pytest.mark.parametrize("code", [ResponseCode.INVALID, ResponseCode.FAILURE])
def test_a_refused_request_is_answered_if_it_is_last(code: ResponseCode) -> None:
    prqueue = queue()
    untranslatable = RefusalReason.NOT_TRANSLATABLE
    answer = PrgResponse(sid=SID, pasid=Pasid(1), prgi=Prgi(5), code=code)
    assert prqueue.refuse(ppr(), code) == Refused(reason=untranslatable, response=answer)
    nothing = Refused(reason=untranslatable, response=None)
    assert prqueue.refuse(ppr(last=False), code) == nothing
    assert prqueue.refuse(MARKER, code) == nothing
    assert state(prqueue) == (0, 0)


def test_an_automatic_answer_has_a_pasid_if_the_request_had_one() -> None:
    prqueue = queue(2)
    offer(prqueue, 1)
    refused = prqueue.accept(ppr(pasid=NO_PASID))
    assert isinstance(refused, Refused)
    assert refused.response is not None
    assert refused.response.pasid == NO_PASID


def test_the_footprint_covers_what_is_written() -> None:
    prqueue = queue(2)
    prqueue.memory.write(REGISTERS.PECTL, IM.mask)
    reads, writes = prqueue.footprint()
    offer(prqueue, 1)
    assert {("word", 8 * int(number)) for number in prqueue.memory.array.nonzero()[0]} <= set(writes)
    assert reads == (("word", REGISTERS.PQH),)
