"""Logs of strangers: whatever the bytes are, they are decoded, and each line is counted once."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tools.logs.decoding import DecodedLog, decode
from tools.logs.heading import LONGEST_LINE
from tools.logs.telling import document, lines_of

from .reading import SAMPLES
from .test_smmu_lines import STALLED, UNIT, raw

LINES = [line for path in SAMPLES for line in path.read_bytes().split(b"\n") if line]
LINES += [line.encode() for line in raw(0x10, STALLED)]
LINES += [
    f"{UNIT}event: F_TRANSLATION client: (unassigned sid) sid: 0x42 ssid: 0x5 iova: 0x1000 ipa: 0x0".encode(),
    f'{UNIT}unpriv data write s1 "Input address caused fault" stall stag: 0x3'.encode(),
    f"{UNIT}unexpected PRI request received:".encode(),
    f"{UNIT}\tsid 0x00000042.0x00005: [7L] unprivileged RW access at iova 0x0000ffff00001000".encode(),
    f"{UNIT}skipping command in error state:".encode(),
    b"DMAR: VT-d detected Invalidation Queue Error: Reason 3",
    b"DMAR: QI HEAD: Invalidation Wait qw0 = 0x25, qw1 = 0x0",
    b"DMAR: dmar0: Invalid page request: 00500101 00007009",
    b"dmar_fault: 9 callbacks suppressed",
    b"p: (arm_smmu_atc_inv_master+0x0/0x10) x=1",
]
PIECES = st.sampled_from(LINES)
FEW = settings(max_examples=150, deadline=None)


def checked(data: bytes) -> DecodedLog:
    log = decode(data)
    assert log.lines == sum(
        1 for line in data.split(b"\n") if line[: 4 * LONGEST_LINE].decode("utf-8", "replace").strip()
    )
    told = [number for record in log.records for number in record.lines]
    assert all(1 <= number <= data.count(b"\n") + 1 for number in told)
    assert all(record.lines == sorted(record.lines) for record in log.records)
    assert all(record.title for record in log.records)
    assert json.loads(json.dumps(document(log)))
    assert list(lines_of(log))
    return log


@FEW
@given(st.binary(max_size=2_000))
def test_any_bytes(data: bytes) -> None:
    checked(data)


@FEW
@given(st.lists(st.tuples(PIECES, st.integers(0, 200)), max_size=20))
def test_lines_that_are_cut_anywhere(cut: list[tuple[bytes, int]]) -> None:
    checked(b"\n".join(line[:length] for line, length in cut))


@FEW
@given(st.lists(st.tuples(PIECES, st.integers(0, 200), st.binary(max_size=4)), max_size=20))
def test_lines_with_other_bytes_in_them(changed: list[tuple[bytes, int, bytes]]) -> None:
    checked(b"\n".join(line[:at] + more + line[at + 1 :] for line, at, more in changed))


@FEW
@given(st.lists(PIECES, max_size=30), st.lists(PIECES, max_size=10))
def test_lines_in_any_order_and_without_ends(lines: list[bytes], glued: list[bytes]) -> None:
    assert checked(b"\n".join(lines)).not_understood == 0
    checked(b"".join(glued))


@FEW
@given(st.permutations([0] * 5 + [1] * 5 + [2] * 5))
def test_records_of_three_smmus_in_any_interleaving(order: list[int]) -> None:
    rests = [raw(0x10, (STALLED[0] + (unit << 32), *STALLED[1:]), f"arm-smmu-v3 smmu.{unit}: ") for unit in range(3)]
    log = checked("\n".join(rests[unit].pop(0) for unit in order).encode())
    assert sorted((record.unit, record.fields["SID"]) for record in log.records) == [
        ("smmu.0", "0x42"),
        ("smmu.1", "0x43"),
        ("smmu.2", "0x44"),
    ]
    assert all(record.notes == [] for record in log.records)
