"""Registers, event interrupts and fault recording, step by step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hw.bus import Pasid, PhysAddr, StreamId
from hw.memory import Memory
from hw.vtd import faults
from hw.vtd.faults import FaultLog, FaultReason, FaultRecord, LogOutcome, Recorded, RequestKind
from hw.vtd.registers import (
    IM,
    IQE,
    ITE,
    PFO,
    PPF,
    PPR,
    PRO,
    Registers,
    fsts_after,
    ics_after,
    prs_after,
    raise_event,
    raise_fault_status,
    set_mask,
)

REGISTERS = Registers(PhysAddr(0), fault_records=2)


def record(address: int = 0x7000, kind: RequestKind = RequestKind.READ, pasid: int | None = 1) -> FaultRecord:
    """A fault of function 0x12."""
    return FaultRecord(
        reason=FaultReason.PASID_ENTRY_P,
        sid=StreamId(0x12),
        pasid=None if pasid is None else Pasid(pasid),
        address=address,
        kind=kind,
    )


def test_registers_lie_in_one_frame() -> None:
    assert (REGISTERS.FSTS, REGISTERS.PECTL) == (0, 80)
    assert REGISTERS.FRCD(1) == (104, 112)
    assert [REGISTERS.name_of(PhysAddr(address)) for address in (0, 16, 88, 112)] == [
        "FSTS",
        "IQH",
        "FRCD[0].low",
        "FRCD[1].high",
    ]
    for address in (-8, 4, 120):
        with pytest.raises(ValueError, match="no register at"):
            REGISTERS.name_of(PhysAddr(address))
    with pytest.raises(ValueError, match="there are 2"):
        REGISTERS.FRCD(2)
    with pytest.raises(ValueError, match="multiple of 4096"):
        Registers(PhysAddr(8))
    assert Registers(PhysAddr(0), 250).FRCD(249)[1] < 4096
    for count in (0, 251):
        with pytest.raises(ValueError, match=r"allowed are 1\.\.250"):
            Registers(PhysAddr(0), count)


def test_writing_one_clears_what_it_may() -> None:
    assert fsts_after(0x73, 0x10) == 0x63
    assert fsts_after(0x73, 0xFFFF) == 0x2, "PPF is read-only"
    assert fsts_after(0x373, 0) == 0x373
    assert prs_after(3, PPR.mask) == PRO.mask
    assert prs_after(3, PRO.mask) == PPR.mask
    assert ics_after(1, 1) == 0


def test_a_masked_interrupt_waits_in_ip() -> None:
    memory = Memory(1)
    assert raise_event(memory, REGISTERS.PECTL)
    assert not set_mask(memory, REGISTERS.PECTL, masked=True)
    assert not set_mask(memory, REGISTERS.PECTL, masked=False), "nothing came meanwhile"
    set_mask(memory, REGISTERS.PECTL, masked=True)
    assert not raise_event(memory, REGISTERS.PECTL)
    assert memory.read(REGISTERS.PECTL) == 0xC000_0000
    assert set_mask(memory, REGISTERS.PECTL, masked=False)
    assert memory.read(REGISTERS.PECTL) == 0


def test_the_fault_event_is_raised_from_a_clean_status_only() -> None:
    memory = Memory(1)
    assert raise_fault_status(memory, REGISTERS, IQE.mask)
    assert not raise_fault_status(memory, REGISTERS, ITE.mask)
    assert memory.read(REGISTERS.FSTS) == 0x50
    memory.write(REGISTERS.FSTS, 0)
    memory.write(REGISTERS.FECTL, IM.mask)
    assert not raise_fault_status(memory, REGISTERS, PFO.mask)


def test_record_golden() -> None:
    # F 63, T1 62, PASID 1 at 40, reason 0x59 at 32, PP 31, SID 0x12
    assert faults.encode(record(0x7008)) == (0x7000, 0xC000_0159_8000_0012)
    assert faults.encode(record(kind=RequestKind.WRITE, pasid=None)) == (0x7000, 0x8000_0059_0000_0012)
    assert faults.encode(record(kind=RequestKind.PAGE_REQUEST))[1] == 0x8000_0159_9000_0012
    assert faults.encode(record(kind=RequestKind.TRANSLATION))[1] == 0xD000_0159_8000_0012
    assert faults.encode(record(kind=RequestKind.TRANSLATED_WRITE))[1] == 0xA000_0159_8000_0012
    assert faults.decode((0x7000, 0x4000_0159_8000_0012)) is None


@given(
    st.sampled_from(FaultReason),
    st.integers(0, 0xFFFF),
    st.none() | st.integers(0, 0xFFFFF),
    st.integers(0, 2**52 - 1),
    st.sampled_from(RequestKind),
    st.booleans(),
    st.booleans(),
)
def test_record_round_trip(
    reason: FaultReason, sid: int, pasid: int | None, page: int, kind: RequestKind, execute: bool, privileged: bool
) -> None:
    made = FaultRecord(
        reason=reason,
        sid=StreamId(sid),
        pasid=None if pasid is None else Pasid(pasid),
        address=page << 12,
        kind=kind,
        execute=execute,
        privileged=privileged,
    )
    assert faults.decode(faults.encode(made)) == made


def recorded(index: int, interrupt: bool) -> Recorded:
    """A fault that found room."""
    return Recorded(outcome=LogOutcome.RECORDED, index=index, interrupt=interrupt)


def test_the_log_fills_up_and_loses_step_by_step() -> None:
    memory = Memory(1)
    log = FaultLog(memory, REGISTERS)
    assert log.report(record(0x1000)) == recorded(0, interrupt=True)
    assert log.report(record(0x2000)) == recorded(1, interrupt=False)
    assert memory.read(REGISTERS.FSTS) == PPF.mask, "FRI is the first that is pending"
    assert log.report(record(0x3000)) == Recorded(outcome=LogOutcome.OVERFLOW, index=-1, interrupt=False)
    assert memory.read(REGISTERS.FSTS) == PPF.mask | PFO.mask
    log.acknowledge(0)
    assert memory.read(REGISTERS.FSTS) == PPF.mask | PFO.mask, "the other record is still pending"
    lost = Recorded(outcome=LogOutcome.LOST, index=-1, interrupt=False)
    assert log.report(record(0x4000)) == lost, "room does not help while PFO is set"
    log.acknowledge(1)
    assert memory.read(REGISTERS.FSTS) == PFO.mask
    memory.write(REGISTERS.FSTS, fsts_after(memory.read(REGISTERS.FSTS), PFO.mask))
    assert log.report(record(0x5000)) == recorded(0, interrupt=True)
    assert log.report(record(0x6000)) == recorded(1, interrupt=False)
    assert [each.address if each else None for each in log.records()] == [0x5000, 0x6000]


def test_fri_is_where_software_starts_to_read() -> None:
    memory = Memory(1)
    log = FaultLog(memory, REGISTERS)
    log.report(record(0x1000))
    log.acknowledge(0)
    assert memory.read(REGISTERS.FSTS) == 0
    assert log.report(record(0x2000)) == recorded(1, interrupt=True)
    assert memory.read(REGISTERS.FSTS) == PPF.mask | 1 << 8
    assert log.report(record(0x3000)) == recorded(0, interrupt=False)
    assert memory.read(REGISTERS.FSTS) == PPF.mask | 1 << 8


def test_without_pfo_stops_room_is_enough() -> None:
    log = FaultLog(Memory(1), REGISTERS, pfo_stops=False)
    for address in (0x1000, 0x2000):
        log.report(record(address))
    assert log.report(record(0x3000)).outcome is LogOutcome.OVERFLOW
    log.acknowledge(0)
    assert log.report(record(0x4000)) == recorded(0, interrupt=False)


def test_the_footprint_covers_what_is_written() -> None:
    memory = Memory(1)
    log = FaultLog(memory, REGISTERS)
    for address in range(0x1000, 0x5000, 0x1000):
        log.report(record(address))
    log.acknowledge(0)
    written = {("word", 8 * int(number)) for number in memory.array.nonzero()[0]}
    assert written <= set(log.footprint())
