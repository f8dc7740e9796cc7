"""Ring arithmetic against a naive model, and the overflow rules of EVTQ and PRIQ step by step."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import Memory
from hw.pcie.tlp import NO_PASID, PageRequest, ResponseCode, stop_marker
from hw.smmuv3 import evtq, priq
from hw.smmuv3.evtq import EventClass, EventId, EventRecord, Evtq, Full
from hw.smmuv3.priq import AsksEntry, AutoResponse, PageRequestEntry, Priq
from hw.smmuv3.queues import OVERFLOW_FLAG, Accepted, Dropped, DropReason, Ring
from hw.smmuv3.registers import Registers, active_errors

BASE = PhysAddr(0x1000)
REGISTERS = Registers(PhysAddr(0))
SUCCESS = AutoResponse(code=ResponseCode.SUCCESS, with_pasid=False)
FAILURE = AutoResponse(code=ResponseCode.FAILURE, with_pasid=False)
FULL = Dropped(reason=DropReason.FULL)
PENDING = Dropped(reason=DropReason.OVERFLOW_PENDING)


def test_two_entries_wrap_through_four_pointer_values() -> None:
    ring = Ring(BASE, 1, 2)
    pointers = [0]
    for _ in range(4):
        pointers.append(ring.next(pointers[-1]))
    assert pointers == [0, 1, 2, 3, 0]
    assert [ring.index(pointer) for pointer in pointers] == [0, 1, 0, 1, 0]
    assert [ring.slot(pointer) for pointer in pointers[:3]] == [0x1000, 0x1010, 0x1000]
    assert ring.empty(2, 2) and not ring.empty(2, 0)
    assert ring.full(2, 0) and ring.full(1, 3) and not ring.full(1, 0)
    assert [ring.used(2, 0), ring.used(0, 3), ring.used(3, 3)] == [2, 1, 0]


def test_one_entry_has_a_wrap_bit_only() -> None:
    ring = Ring(BASE, 0, 4)
    assert [ring.next(0), ring.next(1)] == [1, 0]
    assert ring.full(1, 0) and ring.full(0, 1) and ring.empty(1, 1)
    assert ring.slot(1) == 0x1000


def test_other_bits_of_a_pointer_survive() -> None:
    ring = Ring(BASE, 1, 2)
    assert ring.next(OVERFLOW_FLAG | 3) == OVERFLOW_FLAG
    assert ring.next(0x0100_0001) == 0x0100_0002
    assert ring.empty(OVERFLOW_FLAG | 1, 1)
    assert ring.full(OVERFLOW_FLAG | 2, 0)
    assert ring.used(OVERFLOW_FLAG | 2, 0) == 2
    assert Ring(BASE, 19, 2).next(0xFFFFF) == 0


@pytest.mark.parametrize("log2size", [-1, 20])
def test_sizes_are_bounded(log2size: int) -> None:
    with pytest.raises(ValueError, match="allowed are"):
        Ring(BASE, log2size, 2)


@given(log2size=st.integers(0, 3), pushes=st.lists(st.booleans(), max_size=80), flags=st.tuples(st.booleans()))
def test_a_ring_is_a_bounded_deque(log2size: int, pushes: list[bool], flags: tuple[bool]) -> None:
    ring = Ring(BASE, log2size, 1)
    model: deque[int] = deque()
    slots: dict[PhysAddr, int] = {}
    prod = OVERFLOW_FLAG if flags[0] else 0
    cons = 0
    for number, push in enumerate(pushes):
        assert ring.empty(prod, cons) == (not model)
        assert ring.full(prod, cons) == (len(model) == 1 << log2size)
        assert ring.used(prod, cons) == len(model)
        if push and not ring.full(prod, cons):
            slots[ring.slot(prod)] = number
            model.append(number)
            prod = ring.next(prod)
        elif not push and not ring.empty(prod, cons):
            assert slots[ring.slot(cons)] == model.popleft()
            cons = ring.next(cons)
    assert bool(prod & OVERFLOW_FLAG) == flags[0]


def ppr(prgi: int = 5, *, last: bool = True, read: bool = True, ssv: bool = True) -> PageRequestEntry:
    """A page request of stream 0x12."""
    return PageRequestEntry(
        sid=StreamId(0x12),
        ssid=Pasid(3 if ssv else 0),
        ssv=ssv,
        read=read,
        write=False,
        execute=False,
        priv=False,
        last=last,
        prgi=Prgi(prgi),
        address=VirtAddr(0x7000),
    )


def test_ppr_golden() -> None:
    # SSV 63, L 62, R 60; SSID 3 at 32; SID 0x12
    assert priq.encode(ppr()) == (0xD000_0003_0000_0012, 0x7005)
    assert priq.encode(ppr(read=False)) == (0xC000_0003_0000_0012, 0x7005)
    all_rights = PageRequestEntry(
        sid=StreamId(0xFFFF_FFFF),
        ssid=Pasid(0xFFFFF),
        ssv=False,
        read=False,
        write=True,
        execute=True,
        priv=True,
        last=False,
        prgi=Prgi(0x1FF),
        address=VirtAddr(0xFFFF_FFFF_FFFF_F000),
    )
    # W 61, X 59, Priv 58
    assert priq.encode(all_rights) == (0x2C0F_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_F1FF)
    assert priq.decode(*priq.encode(all_rights)) == all_rights


def test_a_stop_marker_needs_a_pasid() -> None:
    assert ppr(read=False).is_stop_marker
    assert priq.is_stop_marker_word(0xC000_0003_0000_0012)
    assert not ppr(read=False, ssv=False).is_stop_marker
    assert not priq.is_stop_marker_word(0x4000_0000_0000_0012)
    assert not ppr(read=False, last=False).is_stop_marker
    assert priq.entry_of(stop_marker(StreamId(1), Pasid(2))).is_stop_marker
    plain = PageRequest(
        sid=StreamId(1),
        pasid=NO_PASID,
        address=VirtAddr(0x1234),
        read=False,
        write=False,
        last=True,
        prgi=Prgi(1),
    )
    assert not plain.is_stop_marker
    assert priq.entry_of(plain) == priq.decode(0x4000_0000_0000_0001, 0x1001)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_ppr_round_trip(q0: int, q1: int) -> None:
    entry = priq.decode(q0, q1)
    assert priq.decode(*priq.encode(entry)) == entry
    # bits 57:52 of q0 and 11:9 of q1 are nobody's
    assert priq.encode(entry) == (q0 & ~0x03F0_0000_0000_0000, q1 & ~0xE00)
    assert priq.is_stop_marker_word(q0) == entry.is_stop_marker


def new_priq(log2size: int = 1, *, pps: bool = False) -> Priq:
    """A PRI queue in fresh memory."""
    return Priq(Memory(2), Ring(BASE, log2size, 2), REGISTERS.PRIQ_PROD, REGISTERS.PRIQ_CONS, pps=pps)


def test_only_the_first_entry_raises_an_interrupt() -> None:
    queue = new_priq()
    assert queue.accept(ppr(1)) == Accepted(was_empty=True, slot=PhysAddr(0x1000))
    assert queue.accept(ppr(2)) == Accepted(was_empty=False, slot=PhysAddr(0x1010))
    assert queue.pointers() == (2, 0)
    assert queue.memory.read(PhysAddr(0x1018)) == 0x7002


def test_priq_overflow_step_by_step() -> None:
    queue = new_priq()
    memory = queue.memory
    queue.accept(ppr(1))
    queue.accept(ppr(2))
    # rule 1 and 3: full, OVFLG toggles, a Last is answered with Success
    assert queue.accept(ppr(3)) == AsksEntry()
    assert queue.pointers() == (OVERFLOW_FLAG | 2, 0)
    # a second refusal does not take the flag back; not Last is dropped silently, a marker too
    assert queue.accept(ppr(4, last=False)) == PENDING
    assert queue.accept(ppr(read=False)) == PENDING
    assert queue.pointers() == (OVERFLOW_FLAG | 2, 0)
    # rule 2: free entries do not help
    memory.write(REGISTERS.PRIQ_CONS, 2)
    assert queue.accept(ppr(5)) == AsksEntry()
    assert queue.accept(ppr(6, last=False)) == PENDING
    assert queue.pointers() == (OVERFLOW_FLAG | 2, 2)
    # rule 5: one CONS write acknowledges
    memory.write(REGISTERS.PRIQ_CONS, OVERFLOW_FLAG | 2)
    assert queue.accept(ppr(7)) == Accepted(was_empty=True, slot=PhysAddr(0x1000))
    assert queue.pointers()[0] == OVERFLOW_FLAG | 3
    # the next overflow toggles the flag back to 0, which is again different from OVACKFLG
    queue.accept(ppr(8))
    assert queue.accept(ppr(9, last=False)) == FULL
    assert queue.pointers() == (0, OVERFLOW_FLAG | 2)
    assert queue.accept(ppr(9)) == AsksEntry()


def test_an_overflow_while_full_drops_what_is_not_last() -> None:
    queue = new_priq(0)
    queue.accept(ppr(1))
    assert queue.accept(ppr(2, last=False)) == FULL
    assert queue.pointers()[0] & OVERFLOW_FLAG
    marker = new_priq(0)
    marker.accept(ppr(1))
    assert marker.accept(ppr(read=False)) == FULL
    plain = new_priq(0)
    plain.accept(ppr(1))
    assert plain.accept(ppr(read=False, ssv=False)) == SUCCESS, "100 without PASID is an ordinary Last"


@pytest.mark.parametrize(
    ("pps", "ssv", "expected"),
    [
        (False, True, AsksEntry()),
        (True, True, AutoResponse(code=ResponseCode.SUCCESS, with_pasid=True)),
        (False, False, SUCCESS),
        (True, False, SUCCESS),
    ],
)
def test_the_pasid_of_automatic_responses(pps: bool, ssv: bool, expected: AutoResponse | AsksEntry) -> None:
    queue = new_priq(0, pps=pps)
    queue.accept(ppr(1))
    assert queue.accept(ppr(2, ssv=ssv)) == expected


def test_what_the_entry_of_a_stream_says_of_the_pasid() -> None:
    with_pasid = AutoResponse(code=ResponseCode.SUCCESS, with_pasid=True)
    assert [AsksEntry().answer(ppar) for ppar in (False, True, None)] == [SUCCESS, with_pasid, FAILURE]


def test_a_disabled_priq_fails_every_request_but_markers() -> None:
    queue = new_priq(pps=True)
    for last in (False, True):
        assert queue.accept(ppr(last=last), enabled=False) == FAILURE
    assert queue.accept(ppr(read=False), enabled=False) == Dropped(reason=DropReason.DISABLED)
    assert queue.pointers() == (0, 0)


def event(*, stall: bool = False) -> EventRecord:
    """A translation fault of stream 0x12, PASID 3."""
    return EventRecord(
        id=EventId.F_TRANSLATION,
        sid=StreamId(0x12),
        ssv=True,
        ssid=Pasid(3),
        stag=0x44,
        stall=stall,
        read=True,
        event_class=EventClass.IN,
        address=0x7ABC,
    )


def test_event_golden() -> None:
    # q1: CLASS 2 at 40, RnW 35, STALL 31, STAG
    assert evtq.encode(event(stall=True)) == (0x0000_0012_0000_3810, 0x0000_0208_8000_0044, 0x7ABC, 0)


@given(
    st.builds(
        EventRecord,
        id=st.sampled_from(EventId),
        sid=st.integers(0, 2**32 - 1).map(StreamId),
        ssv=st.booleans(),
        ssid=st.integers(0, 2**20 - 1).map(Pasid),
        stag=st.integers(0, 2**16 - 1),
        stall=st.booleans(),
        privileged=st.booleans(),
        instruction=st.booleans(),
        read=st.booleans(),
        stage2=st.booleans(),
        event_class=st.sampled_from(EventClass),
        address=st.integers(0, 2**64 - 1),
        ipa=st.integers(0, 2**64 - 1),
    )
)
def test_event_round_trip(record: EventRecord) -> None:
    assert evtq.decode(evtq.encode(record)) == record


def test_a_full_evtq_drops_records_but_never_stalls() -> None:
    queue = Evtq(Memory(2), Ring(BASE, 1, 4), REGISTERS.EVTQ_PROD, REGISTERS.EVTQ_CONS)
    assert queue.append(event()) == Accepted(was_empty=True, slot=PhysAddr(0x1000))
    assert queue.append(event(stall=True)) == Accepted(was_empty=False, slot=PhysAddr(0x1020))
    assert queue.append(event(stall=True)) == Full()
    assert queue.pointers() == (2, 0), "a stall record is no overflow"
    assert queue.append(event()) == FULL
    assert queue.append(event()) == FULL
    assert queue.pointers() == (OVERFLOW_FLAG | 2, 0)
    # unlike PRIQ: room is used although the overflow is not acknowledged
    queue.memory.write(REGISTERS.EVTQ_CONS, 1)
    assert queue.append(event()) == Accepted(was_empty=False, slot=PhysAddr(0x1000))
    assert queue.pointers() == (OVERFLOW_FLAG | 3, 1)


def test_registers_have_names_and_own_words() -> None:
    registers = Registers(PhysAddr(0x3000))
    assert registers.name_of(registers.PRIQ_CONS) == "PRIQ_CONS"
    assert registers.name_of(registers.CR0) == "CR0"
    assert [registers.CMDQ_PROD, registers.CMDQ_CONS] == [0x3018, 0x3020]
    for address in (0x2FF8, 0x3004, 0x3048):
        with pytest.raises(ValueError, match="no register at"):
            registers.name_of(PhysAddr(address))
    with pytest.raises(ValueError, match="register frame"):
        Registers(PhysAddr(8))


def test_errors_are_active_until_copied() -> None:
    assert active_errors(0b1001, 0b0001) == 0b1000
    assert active_errors(0b1001, 0b1001) == 0
