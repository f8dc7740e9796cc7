"""Whole logs: the samples, headings, what is missing, the same record again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.logs.decoding import MOST_KEPT, decode
from tools.logs.telling import counted_losses, lines_of

from .reading import SAMPLES, only, read, records
from .test_dmar_lines import fault
from .test_smmu_lines import STALLED, UNIT, raw

RECORDS = {
    "iommu-map-generations": 4,
    "made-up": 3,
    "smmuv3-cmdq": 4,
    "smmuv3-event": 1,
    "vtd-cache-tags": 10,
    "vtd-descriptors": 3,
    "vtd-fault-generations": 3,
    "vtd-page-requests": 8,
    "vtd-tables": 3,
}


def test_every_sample_is_counted() -> None:
    assert {path.stem for path in SAMPLES} == RECORDS.keys()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_samples_decode_without_an_unknown_line(path: Path) -> None:
    log = decode(path.read_bytes())
    assert (log.not_understood, log.others, log.boot, log.comments) == (0, 0, 0, 1)
    assert len(log.records) == RECORDS[path.stem]
    assert all(record.title for record in log.records)


def test_the_made_up_log_says_what_is_to_be_seen() -> None:
    (path,) = (path for path in SAMPLES if path.stem == "made-up")
    told = " ".join(" ".join(lines_of(decode(path.read_bytes()))).split())
    for sentence in (
        "2 [100.000001] 1000000.iommu: EVTQ overflowed: events were lost before it",
        "3-7 [100.000010] 1000000.iommu: C_BAD_CD (0x0a), StreamID 0x42, SSID 0x5",
        "unprivileged data write of 0xdeadb000, CLASS=IN, stalled, STAG 0x3",
        "word 1 bit 44: set, and no field that is known here stands there",
        "Missing: an unknown number of events or page requests, which the SMMU lost (said at line 2).",
        "3 records in 12 lines; all lines understood; 1 comment.",
    ):
        assert sentence in told


@pytest.mark.parametrize(
    ("heading", "time"),
    [
        ("", ""),
        ("[   12.345678] ", "12.345678"),
        ("<3>[   12.345678] ", "12.345678"),
        ("[   12.345678][ T1234] ", "12.345678"),
        ("kern  :err   : [   12.345678] ", "12.345678"),
        ("Jun  1 12:00:00 host kernel: [   12.345678] ", "12.345678"),
        ("[Mon Jun  1 12:00:00 2020] ", "Mon Jun  1 12:00:00 2020"),
        ("2020-06-01T12:00:00+0000 host kernel: ", ""),
        ("> > [   12.345678] ", "12.345678"),
    ],
)
def test_headings_of_dmesg(heading: str, time: str) -> None:
    record = only(f"{heading}{UNIT}EVTQ overflow detected -- events lost")
    assert (record.kind, record.time) == ("smmuv3-overflow", time)


def test_two_messages_in_one_line() -> None:
    first, second = records(f"[   12.000001] {fault(0x71)}[   12.000002] {UNIT}CMDQ timeout")
    assert (first.kind, second.kind, first.lines, second.lines) == ("vtd-fault", "smmuv3-notice", [1], [1])
    assert first.fields["text"] == "no"


def test_what_is_missing_is_added_up() -> None:
    log = read(
        "arm_smmu_evtq_thread: 90 callbacks suppressed",
        "[  1.000000] dmar_fault: 9 callbacks suppressed",
        "net_ratelimit: 5 callbacks suppressed",
        "** 12 printk messages dropped **",
        "systemd-journald[1]: Suppressed 30 messages from kernel",
        "# entries-in-buffer/entries-written: 205/40500   #P:8",
        "# entries-in-buffer/entries-written: 205/205   #P:8",
        "CPU:3 [LOST 7 EVENTS]",
        f"{UNIT}EVTQ overflow detected -- events lost",
        "last message repeated 3 times",
    )
    assert counted_losses(log.records) == {"suppressed": 99, "dropped": 42, "lost-events": 40302, "smmuv3-overflow": -1}
    assert (log.others, log.comments) == (1, 1)
    assert log.records[-1].fields == {"times": 3}
    told = list(lines_of(log))
    assert "Missing: 99 of messages, which were suppressed (said at lines 1, 2)." in " ".join(told)
    assert counted_losses(read("CPU:3 [LOST 7 EVENTS]", "CPU:1 [EVENTS DROPPED]").records) == {"lost-events": -1}


def again(*seconds: str) -> list[str]:
    return [f"[{time:>12}] {line}" for time in seconds for line in raw(0x10, STALLED)]


def test_the_same_address_at_a_constant_rate() -> None:
    log = read(*again("1.000000", "2.010000", "3.000000", "3.990000"))
    assert [each.lines for each in log.series] == [(1, 6, 11, 16)]
    assert log.series[0].text == (
        "the same address 0xdeadb000 4 times, every 0.997 s: a constant rate, so no race of one tear-down, but a "
        "device that still runs"
    )
    assert "the same 3 times more, until line 20" in " ".join(lines_of(log))


def test_other_series() -> None:
    assert read(*again("1.000000", "1.000001", "9.000000", "9.000001")).series[0].text == (
        "the same address 0xdeadb000 4 times in 8.000001 s, at no constant rate (what is printed is limited in bursts)"
    )
    assert read(*again("1.000000", "2.000000", "3.000000")).series == []
    assert read(*[fault(0x71)] * 4).series[0].text == "the same address 0x5000 4 times"
    assert read(*(fault(0x71, address=0x1000 * number) for number in range(1, 9))).series == []


def test_many_unknown_lines_are_counted() -> None:
    log = read(*["DMAR: something new"] * (MOST_KEPT + 5))
    assert (log.not_understood, len(log.unknown)) == (MOST_KEPT + 5, MOST_KEPT)
    assert "Not understood: 985 more lines." in list(lines_of(log))
