"""The container: equal traces have equal bytes, and no damage is ever taken for a trace."""

from __future__ import annotations

import dataclasses
import enum
import struct
import zlib
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.primitives.events import Note
from tools.traces import container
from tools.traces.container import HEADER_FIELDS, MAGIC, VERSION, decode, encode
from tools.traces.trace import MAX_DEPTH, Trace, TraceError, Value, _value, fingerprint

from .runs import run, violating

SMALL = violating("unbinding")
BYTES = encode(SMALL)


def chunk(kind: bytes, payload: bytes, length: int | None = None) -> bytes:
    checksum = zlib.crc32(payload, zlib.crc32(kind))
    return struct.pack(">cII", kind, len(payload) if length is None else length, checksum) + payload


def file_of(*chunks: bytes) -> bytes:
    return MAGIC + struct.pack(">H", VERSION) + b"".join(chunks)


@pytest.mark.parametrize("way", ["quiet", "deadlock", "error", "stillborn", "bound"])
@pytest.mark.parametrize("seed", range(5))
def test_a_trace_comes_back_as_it_was(way: str, seed: int) -> None:
    trace = run("ending", seed, way=way)
    assert decode(encode(trace)) == trace


def test_a_trace_of_more_than_one_chunk_comes_back_as_it_was() -> None:
    steps = tuple(SMALL.steps[0] for _ in range(3_000))
    trace = dataclasses.replace(SMALL, steps=steps, events=SMALL.events * 500)
    assert decode(encode(trace)) == trace


def test_equal_runs_have_equal_bytes() -> None:
    assert encode(violating("unbinding")) == BYTES


def test_every_flipped_bit_is_noticed() -> None:
    for place in range(len(BYTES) * 8):
        damaged = bytearray(BYTES)
        damaged[place // 8] ^= 1 << place % 8
        with pytest.raises(TraceError, match="read trace: "):
            decode(bytes(damaged))


def test_every_cut_is_noticed() -> None:
    for length in range(len(BYTES)):
        with pytest.raises(TraceError, match=r"read trace: (cut|not whole)"):
            decode(BYTES[:length])


def test_whatever_follows_the_end_is_noticed() -> None:
    with pytest.raises(TraceError, match="1 bytes after the index"):
        decode(BYTES + b"\0")


@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(TraceError, match=r"^read trace: "):
        decode(data)


@given(st.data())
def test_bytes_changed_anywhere_are_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(BYTES) - 1))
    end = data.draw(st.integers(start, len(BYTES)))
    damaged = BYTES[:start] + data.draw(st.binary(max_size=40)) + BYTES[end:]
    if damaged != BYTES:
        with pytest.raises(TraceError, match=r"^read trace: "):
            decode(damaged)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(max_size=5)
)
json_like = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=8),
    max_leaves=30,
)


@given(json_like, json_like, json_like)
def test_chunks_with_a_right_checksum_and_wrong_contents_are_refused(header: Any, steps: Any, events: Any) -> None:
    parts = [chunk(kind, msgpack.packb(item)) for kind, item in ((b"H", header), (b"S", steps), (b"E", events))]
    with pytest.raises(TraceError, match=r"^read trace: "):
        decode(file_of(*parts, chunk(b"Z", msgpack.packb([]))))


@given(st.data())
def test_a_sealed_header_with_one_wrong_value_is_refused_or_harmless(data: st.DataObject) -> None:
    """An attacker can compute checksums: values are checked too."""
    offset = len(MAGIC) + 2
    kind, length, _ = struct.unpack_from(">cII", BYTES, offset)
    names, values = msgpack.unpackb(BYTES[offset + 9 : offset + 9 + length])
    values[data.draw(st.integers(0, len(values) - 1))] = data.draw(json_like)
    sealed = chunk(kind, msgpack.packb([names, values]))
    try:
        trace = decode(file_of(sealed, chunk(b"Z", msgpack.packb([["H", offset, 2]]))))
    except TraceError:
        return
    assert isinstance(trace, Trace)


def test_a_newer_version_says_so() -> None:
    newer = MAGIC + struct.pack(">H", VERSION + 1) + BYTES[len(MAGIC) + 2 :]
    with pytest.raises(TraceError, match=f"format version {VERSION + 1}, this stopmarker reads {VERSION}; a newer"):
        decode(newer)


def of_version_1(trace: Trace) -> bytes:
    """The file of a trace as version 1 wrote it: without who is hardware."""
    place = HEADER_FIELDS.index("hardware")
    index: list[list[object]] = []
    out = MAGIC + struct.pack(">H", 1)
    for kind, _, payload in container._chunks(encode(trace), len(MAGIC) + 2):
        records = msgpack.unpackb(payload)
        if kind == b"H":
            records = [[*row[:place], *row[place + 1 :]] for row in records]
        whole = chunk(kind, msgpack.packb(index if kind == b"Z" else records))
        index.append([kind.decode(), len(out), len(records)])
        out += whole
    return out


def test_a_trace_of_version_1_is_read_and_its_devices_and_iommus_are_hardware() -> None:
    named = dataclasses.replace(SMALL, actors=("device.link", "smmu.priq", "driver"), hardware=(), source="")
    assert decode(of_version_1(named)) == dataclasses.replace(named, hardware=(0, 1))
    with pytest.raises(TraceError, match="the header's field list is not that of its version"):
        decode(BYTES[: len(MAGIC)] + struct.pack(">H", 1) + BYTES[len(MAGIC) + 2 :])


def test_a_huge_length_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(TraceError, match="claims 4294967295 bytes, allowed are"):
        decode(file_of(chunk(b"H", b"\x90", length=0xFFFFFFFF)))


def test_a_huge_array_is_refused_before_anything_is_allocated() -> None:
    with pytest.raises(TraceError, match="exceeds max_array_len"):
        decode(file_of(chunk(b"H", b"\xdd\x7f\xff\xff\xff")))


def test_a_map_is_refused() -> None:
    with pytest.raises(TraceError, match="exceeds max_map_len"):
        decode(file_of(chunk(b"H", msgpack.packb({"a": 1}))))


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 400, 5_000])
def test_deep_nesting_is_refused(depth: int) -> None:
    deep = b"\x91" * depth + b"\xc0"
    step, label = 0, "x"
    event = b"\x96" + msgpack.packb(step) + msgpack.packb(0) + msgpack.packb(0) + msgpack.packb(label) + b"\xc0" + deep
    header = msgpack.unpackb(BYTES[len(MAGIC) + 11 :][: struct.unpack_from(">I", BYTES, len(MAGIC) + 3)[0]])
    header[1][5], header[1][4] = None, "quiet"
    header[1][HEADER_FIELDS.index("event kinds")] = [["Deep", ["nested"]]]
    parts = [chunk(b"H", msgpack.packb(header)), chunk(b"E", b"\x91" + event)]
    start = len(MAGIC) + 2
    index = [["H", start, 2], ["E", start + len(parts[0]), 1]]
    with pytest.raises(TraceError, match=r"nested deeper|StackError|chunk at byte"):
        decode(file_of(*parts, chunk(b"Z", msgpack.packb(index))))


def test_a_file_beyond_the_cap_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "MAX_FILE", len(BYTES) - 1)
    with pytest.raises(TraceError, match="allowed are"):
        decode(BYTES)
    with pytest.raises(TraceError, match="allowed are"):
        encode(SMALL)


def test_the_fingerprint_tells_offers_and_choices_apart() -> None:
    variants = [((0, 1), 0, 0, 0), ((0, 1), 1, 0, 0), ((0, 2), 0, 0, 0), ((0, 1), 0, 2, 0), ((0, 1), 0, 2, 1)]
    assert len({fingerprint(*variant) for variant in variants}) == len(variants)


class Color(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Color.RED, "RED"),
        (1 << 64, "0x10000000000000000"),
        ([1, (2, "x")], (1, (2, "x"))),
        (Note(subject="s", value=3), ("Note", "s", 3)),
        ("\ud800", "?"),
        (True, True),
    ],
)
def test_event_fields_become_plain_values(value: object, plain: Value) -> None:
    assert _value(value, "Event.field", 0) == plain


@pytest.mark.parametrize("value", [{1, 2}, object(), {"a": 1}, 1j])
def test_event_fields_without_an_order_are_refused(value: object) -> None:
    with pytest.raises(TraceError, match=r"record Event\.field: found \w+; allowed are"):
        _value(value, "Event.field", 0)
