"""Lines of the SMMUv3 driver: each format by hand, records of two SMMUs and of two callers between each other."""

from __future__ import annotations

import pytest

from hw.bus import Pasid, StreamId
from hw.smmuv3.commands import Cerror, cfgi_cd, encode
from hw.smmuv3.evtq import EventClass, EventId, EventRecord
from hw.smmuv3.evtq import encode as encode_event
from tools.logs.smmu_event import fields_of_words

from .reading import only, read, records, says

UNIT = "arm-smmu-v3 arm-smmu-v3.0.auto: "
STALLED = (0x0000004200005810, 0x0000020080000003, 0xDEADB000, 0)
"""F_TRANSLATION of StreamID 0x42, SSID 5: a stalled write, STAG 3."""


def raw(number: int, words: tuple[int, ...], unit: str = UNIT) -> list[str]:
    return [f"{unit}event {number:#04x} received:", *(f"{unit}\t{word:#018x}" for word in words)]


def test_a_raw_record() -> None:
    record = only(*(f"[  7.00000{number}] {line}" for number, line in enumerate(raw(0x10, STALLED))))
    assert (record.kind, record.unit, record.lines, record.time) == (
        "smmuv3-event", "arm-smmu-v3.0.auto", [1, 2, 3, 4, 5], "7.000000",
    )  # fmt: skip
    assert record.title == (
        "F_TRANSLATION (0x10), StreamID 0x42, SSID 0x5, unprivileged data write of 0xdeadb000, CLASS=IN, stalled, "
        "STAG 0x3"
    )
    assert record.fields == {
        "event": "F_TRANSLATION", "ID": 16, "SSV": True, "SSID": "0x5", "SID": "0x42", "STAG": 3, "STALL": True,
        "PnU": False, "InD": False, "RnW": False, "S2": False, "CLASS": 2, "InputAddr": "0xdeadb000", "IPA": "0x0",
        "words": "0x0000004200005810 0x0000020080000003 0x00000000deadb000 0x0000000000000000",
    }  # fmt: skip
    assert record.notes == []
    assert says(record, "waits for a RESUME with this STAG", "not the quiet CD")


def test_a_record_is_what_the_model_s_smmu_writes() -> None:
    made = EventRecord(
        id=EventId.F_PERMISSION, sid=StreamId(7), ssv=True, ssid=Pasid(9), stag=0xABCD, stall=True, privileged=True,
        instruction=True, read=True, stage2=True, event_class=EventClass.TTD, address=0x1234_5678_9000, ipa=0x4000,
    )  # fmt: skip
    fields = fields_of_words(encode_event(made))
    names = ("SSV", "SSID", "STAG", "PnU", "InD", "RnW", "S2", "CLASS", "InputAddr", "IPA")
    assert [fields[name] for name in names] == [
        True, "0x9", 0xABCD, True, True, True, True, 1, "0x123456789000", "0x4000",
    ]  # fmt: skip


def test_without_a_pasid_it_is_not_sva_and_a_first_page_is_a_null_buffer() -> None:
    record = only(*raw(0x10, (0x7D0000000010, 0x20800000000, 0x40, 0)))
    assert "no SSID, unprivileged data read of 0x40, CLASS=IN, not stalled" in record.title
    assert [text.split(":")[0] for text in record.rules_out] == [
        "not SVA", "a null buffer, not a race", "not a page fault that software could resolve",
    ]  # fmt: skip
    assert not says(only(*raw(0x10, STALLED)), "null buffer")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        (1 << 32, "word 1 bit 32: set, and no field that is known here stands there"),
        (1 << 44, "bit 44 is TTRnW in an F_PERMISSION with CLASS=TTD only"),
        (1 << 44 | 1 << 32, "word 1 bits 32, 44: set"),
    ],
)
def test_unknown_bits_are_named(word: int, said: str) -> None:
    assert says(only(*raw(0x10, (STALLED[0], STALLED[1] | word, *STALLED[2:]))), said)


def test_bit_44_is_a_field_of_a_refused_table_access() -> None:
    assert only(*raw(0x13, (0x4200005813, 1 << 44 | 1 << 40, 0x5000, 0))).notes == []


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0x02, (0x4200000002, 0, 0, 0), "left: no STE belongs to this StreamID"),
        (0x03, (0x4200000003, 0, 0, 0x8000), "fetched from 0x8000"),
        (0x05, (0x4200000005, 0, 0x9000, 0), "asked for a translation although the STE refuses ATS"),
        (0x07, (0x4200000007, 0, 0x9000, 0), "EATS=0, CR0.ATSCHK=1"),
        (0x0A, (0x420000580A, 0, 0, 0), "not a missing page: the configuration was refused, which never stalls"),
        (0x0A, (0x420000580A, 1, 0, 0), "C_BAD_CD has fields in word 0 only, and other words are not 0"),
        (0x13, (0x4200005813, 0x20000000000, 0x9000, 0), "not an unmapped page"),
        (0x7F, (0x420000007F, 0, 0, 0), "event 0x7f: no event of this number is known here"),
        (0x10, (0x4200000010, 0x30000000000, 0, 0), "CLASS=3 is reserved"),
    ],
)
def test_each_kind_of_event(number: int, words: tuple[int, ...], said: str) -> None:
    assert says(only(*raw(number, words)), said)


def told(name: str, rest: str) -> str:
    return f"{UNIT}event: {name} client: 0000:75:00.0 sid: 0x42 ssid: 0x5 {rest}"


def test_raw_words_and_the_kernel_s_own_text_are_one_record() -> None:
    text = [
        told("F_TRANSLATION", "iova: 0xdeadb000 ipa: 0x0"),
        f'{UNIT}unpriv data write s1 "Input address caused fault" stall stag: 0x3',
    ]
    record = only(*raw(0x10, STALLED), *text)
    assert (record.lines, record.notes) == ([1, 2, 3, 4, 5, 6, 7], [])
    assert record.fields["client"] == "0000:75:00.0"
    changed = only(*raw(0x10, STALLED), text[0], text[1].replace("write", "read").replace("0x3", "0x4"))
    assert changed.notes == [
        "the kernel's text says RnW=True, the words say False",
        "the kernel's text says STAG=4, the words say 3",
    ]


def test_the_kernel_s_own_text_alone() -> None:
    record = only(
        f"{UNIT}event: F_PERMISSION client: (unassigned sid) sid: 0x42 ssid: 0x0 iova: 0x1000 ipa: 0x2000",
        f'{UNIT}priv inst read s2 "Stage 1 translation table fetch" ttd_read stag: 0x0',
    )
    assert record.fields == {
        "event": "F_PERMISSION", "ID": 0x13, "SSV": None, "SSID": "0x0", "SID": "0x42", "STAG": 0, "STALL": False,
        "PnU": True, "InD": True, "RnW": True, "S2": True, "CLASS": 1, "InputAddr": "0x1000", "IPA": "0x2000",
        "client": "(unassigned sid)", "TTRnW": True,
    }  # fmt: skip
    assert says(record, "not SVA", "SSID 0, which Linux keeps for traffic without a PASID", "stage 2, IPA 0x2000")
    fetch = only(told("F_CD_FETCH", "fetch_addr: 0x8000"))
    assert says(fetch, "F_CD_FETCH (0x09), StreamID 0x42, client 0000:75:00.0, SSID 0x5, fetched from 0x8000")
    for name in ("F_NEW", "F_WALK_EABT", "F_BAD_ATS_TREQ", "C_BAD_CD"):
        record = only(told(name, "").strip())
        assert says(record, name, "StreamID 0x42")
        assert (record.fields["InputAddr"], says(record, "null buffer")) == (None, False)
    assert says(
        only(f'{UNIT}priv inst read s2 "CD fetch" stag: 0x7'), "attributes of an event whose other lines are missing"
    )
    both = only(
        *raw(0x03, (0x4200000003, 0, 0, 0x8000)),
        f"{UNIT}event: F_STE_FETCH client: a sid: 0x42 ssid: 0x0 fetch_addr: 0x8000",
    )
    assert both.fields["client"] == "a"


def test_text_of_another_event_is_a_record_of_its_own() -> None:
    both = records(*raw(0x10, STALLED), told("F_TRANSLATION", "iova: 0xdeadc000 ipa: 0x0"))
    assert [record.lines for record in both] == [[1, 2, 3, 4, 5], [6]]


def test_two_smmus_print_at_once() -> None:
    other = UNIT.replace(".0.", ".1.")
    one, two = raw(0x10, STALLED), raw(0x0A, (0x410000000A, 0, 0, 0), other)
    both = records(*(line for pair in zip(one, two, strict=True) for line in pair))
    assert [(record.unit[-6:], record.fields["SID"], record.lines) for record in both] == [
        ("0.auto", "0x42", [1, 3, 5, 7, 9]),
        ("1.auto", "0x41", [2, 4, 6, 8, 10]),
    ]


def test_callers_tell_apart_what_one_smmu_prints_at_once() -> None:
    event = [f"[    1.000000][  T12] {line}" for line in raw(0x10, STALLED)]
    q0, q1 = encode(cfgi_cd(StreamId(3), Pasid(4)))
    skipped = [f"{UNIT}skipping command in error state:", f"{UNIT}\t{q0:#018x}", f"{UNIT}\t{q1:#018x}"]
    skipped = [f"[    1.000000][  C1] {line}" for line in skipped]
    lines = [event[0], skipped[0], event[1], skipped[1], event[2], skipped[2], *event[3:]]
    first, second = records(*lines)
    assert (first.lines, second.lines) == ([1, 3, 5, 7, 8], [2, 4, 6])
    assert first.fields["InputAddr"] == "0xdeadb000"
    assert says(second, "CFGI_CD, StreamID 0x3")


def test_without_callers_the_first_word_of_an_event_finds_its_header() -> None:
    event = raw(0x10, STALLED)
    q0, q1 = encode(cfgi_cd(StreamId(3), Pasid(4)))
    head = f"{UNIT}skipping command in error state:"
    first, second = records(head, *event, f"{UNIT}\t{q0:#018x}", f"{UNIT}\t{q1:#018x}")
    assert (first.lines, second.lines) == ([1, 7, 8], [2, 3, 4, 5, 6])


def test_a_record_of_which_lines_are_lost() -> None:
    first, second = records(*raw(0x10, STALLED)[:3], *raw(0x0A, (0x410000000A, 0, 0, 0)))
    assert first.title == "F_TRANSLATION (0x10), incomplete"
    assert first.notes == ["only 2 of 4 words are here; the rest was lost"]
    assert second.fields["SID"] == "0x41"
    assert only(*raw(0x10, STALLED)[:1]).notes == ["only 0 of 4 words are here; the rest was lost"]
    assert says(only(f"{UNIT}\t0x0000000000000001"), "whose first line is missing")
    assert says(only(*raw(0x0A, STALLED)), "its first line says event 0x0a and its word 0x10")


def test_page_requests() -> None:
    lines = [
        f"{UNIT}unexpected PRI request received:",
        f"{UNIT}\tsid 0x00000042.0x00005: [7L] unprivileged RW access at iova 0x0000ffff00001000",
    ]
    record = only(*lines)
    assert record.fields == {
        "SID": "0x42", "SSID": "0x5", "PRGIndex": 7, "Last": True, "Priv": False, "R": True, "W": True, "X": False,
        "Address": "0xffff00001000",
    }  # fmt: skip
    assert record.title == "page request of StreamID 0x42, SSID 0x5, group 7, Last: RW at 0xffff00001000"
    marker = only(f"{UNIT}\tsid 0x00000042.0x00005: [0L] privileged  access at iova 0x0000000000000000")
    assert says(marker, "a Stop Marker wants no answer", "the line before it is missing")
    assert says(only(lines[0]), "the line with the request itself is missing")


@pytest.mark.parametrize(
    ("cons", "text", "error", "notes"),
    [
        (0x03000012, "ATC invalidate timeout", "CERROR_ATC_INV_SYNC", 0),
        (0x01000012, "Illegal command", "CERROR_ILL", 0),
        (0x02000012, "Abort on command fetch", "CERROR_ABT", 0),
        (0x00000012, "No error", "CERROR_NONE", 0),
        (0x7F000012, "Unknown", "unknown error 127", 0),
        (0x0100B1B7, "ATC invalidate timeout", "CERROR_ILL", 1),
    ],
)
def test_command_queue_errors(cons: int, text: str, error: str, notes: int) -> None:
    record = only(f"{UNIT}CMDQ error (cons {cons:#010x}): {text}")
    assert (record.fields["error"], len(record.notes)) == (error, notes)
    atc = record.fields["ERR"] == Cerror.ATC_INV_SYNC or text.startswith("ATC")
    assert says(record, "a device did not complete an ATC_INV") == atc


def test_time_outs_of_a_sync() -> None:
    on_it = only(f"{UNIT}CMD_SYNC timeout at 0x0000b1b7 [hwprod 0x0000b1c0, hwcons 0x0000b1b7]")
    assert says(on_it, "was reached and not completed", "all commands ahead were consumed")
    before = only(f"{UNIT}CMD_SYNC timeout at 0x0000b1b7 [hwprod 0x0000b1c0, hwcons 0x0000b100]")
    assert (before.title, before.rules_out) == ("the CMD_SYNC at 0xb1b7 was not completed: CONS stands at 0xb100", [])
    unseen = only("platform arm-smmu-v3.0.auto: CMD_SYNC timeout at 0x146 [hwprod 0x146, hwcons 0x0]")
    assert says(unseen, "by PROD the SMMU was not given this CMD_SYNC yet")
    assert only(f"{UNIT}CMD_SYNC timeout").fields == {}
    assert says(only(f"{UNIT}CMDQ timeout"), "no room")


def test_overflows_and_global_errors() -> None:
    event = only(f"{UNIT}EVTQ overflow detected -- events lost")
    assert (event.lost, event.fields) == (-1, {"queue": "EVTQ"})
    request = only(f"{UNIT}PRIQ overflow detected -- requests lost")
    assert says(request, "a refused Last was answered Success by the SMMU itself")
    both = only(f"{UNIT}unexpected global error reported (0x00000105), this could be serious")
    assert (both.fields["errors"], both.notes) == ("CMDQ_ERR EVTQ_ABT_ERR SFM_ERR", [])
    assert says(only(f"{UNIT}unexpected global error reported (0x00000200), this could be serious"), "bits 0x200")
    assert only(f"{UNIT}PRIQ write aborted -- events may have been lost").lost == -1
    assert says(only(f"{UNIT}GERROR MSI write aborted"), "an interrupt message of GERROR")
    assert says(only(f"{UNIT}device has entered Service Failure Mode!"), "SFM_ERR")


def test_a_command_that_nobody_knows() -> None:
    lines = [f"{UNIT}skipping command in error state:", f"{UNIT}\t0x00000000000000ff", f"{UNIT}\t0x0000000000000000"]
    assert says(only(*lines), "opcode 0xff is unknown")


def test_lines_of_the_driver_at_boot_and_lines_that_nobody_understands() -> None:
    log = read(f"{UNIT}ias 48-bit, oas 48-bit (features 0x00001fff)", f"{UNIT}something new", "usb 1-1: new device")
    assert (log.boot, log.not_understood, log.others, log.records) == (1, 1, 1, [])
    assert log.unknown[0].text == f"{UNIT}something new"
