"""The stall model: STAGs are reserved until software decides; a stale one decides nothing (smmuv3 §2.5)."""

from __future__ import annotations

import pytest

from hw.bus import StreamId
from hw.smmuv3.commands import ResumeResp
from hw.smmuv3.evtq import EventId, EventRecord, decode, encode
from hw.smmuv3.stall import Stalls

SID, OTHER = StreamId(0), StreamId(7)


def test_a_stag_is_unique_in_its_stream_until_it_is_resumed() -> None:
    stalls = Stalls()
    first, second, elsewhere = stalls.open(SID), stalls.open(SID), stalls.open(OTHER)
    assert (first.stag, second.stag, elsewhere.stag) == (0, 1, 0)
    assert stalls.reserved(SID) == (0, 1)
    assert stalls.resume(SID, 0, ResumeResp.RETRY) is first
    assert first.decision is ResumeResp.RETRY
    assert stalls.next_stag(SID) == 0
    again = stalls.open(SID)
    assert again.stag == 0
    assert again.number != first.number


def test_a_stale_stag_has_no_effect() -> None:
    stalls = Stalls()
    stall = stalls.open(SID)
    assert stalls.resume(SID, 1, ResumeResp.ABORT) is None
    assert stalls.resume(OTHER, 0, ResumeResp.ABORT) is None
    assert stall.decision is None
    stalls.resume(SID, 0, ResumeResp.RETRY)
    assert stalls.resume(SID, 0, ResumeResp.ABORT) is None
    assert stall.decision is ResumeResp.RETRY


def test_stall_term_aborts_a_whole_stream_and_no_other() -> None:
    stalls = Stalls()
    mine, theirs = [stalls.open(SID), stalls.open(SID)], stalls.open(OTHER)
    assert stalls.terminate(SID) == tuple(mine)
    assert {stall.decision for stall in mine} == {ResumeResp.ABORT}
    assert stalls.reserved(SID) == ()
    assert theirs.decision is None


def test_a_stall_record_says_its_stag_in_the_documented_bits() -> None:
    record = EventRecord(id=EventId.F_TRANSLATION, sid=OTHER, ssv=True, stag=0xBEEF, stall=True, read=True)
    words = encode(record)
    assert words[0] == 0x10 | 1 << 11 | 7 << 32
    assert words[1] == 0xBEEF | 1 << 31 | 1 << 35
    assert decode(words) == record


def test_a_stream_has_as_many_stags_as_it_has() -> None:
    stalls = Stalls(stags=2)
    stalls.open(SID)
    stalls.open(SID)
    assert stalls.next_stag(SID) is None
    assert stalls.next_stag(OTHER) == 0
    stalls.resume(SID, 0, ResumeResp.ABORT)
    assert stalls.next_stag(SID) == 0
    with pytest.raises(ValueError, match=r"allowed are 1\.\.65536"):
        Stalls(stags=0)
