"""The bytes of a trace: a magic number and version, then chunks with length and CRC32 around msgpack arrays.

Order of chunks: one header, steps, events, and last the index, which also tells a whole file from a cut one. Every
length is checked against a cap before anything is allocated for it: trace files come from strangers.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import msgpack

from actors.runtime.primitives.events import Finding, Outcome
from actors.runtime.world import MAX_ACTORS

from .trace import MAX_DEPTH, MAX_ITEMS, MAX_TEXT, Trace, TraceError, TraceEvent, TraceStep, Value, fingerprint

MAGIC = b"\x93SMT\r\n\x1a\n"
VERSION = 2
OLDEST = 1
"""Version 1 did not say who is hardware."""
HARDWARE_THEN = ("device", "smmu", "vtd")
"""Who was hardware in runs of that time: actors of these names, and their parts, behind a dot."""
MAX_FILE = 64 << 20
MAX_CHUNK = 8 << 20
MAX_SCHEDULE = 1 << 20
MAX_OPTIONS = 256
MAX_LISTS = 4_000_000
"""Arrays in one file: an empty one takes a byte there and sixty in memory."""
_RECORDS = 1_024
_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
_HEAD = struct.Struct(">cII")
_VERSION = struct.Struct(">H")
HEADER_FIELDS = (
    "stopmarker",
    "scenario",
    "params",
    "schedule",
    "outcome",
    "finding",
    "actors",
    "hardware",
    "step fields",
    "event fields",
    "event kinds",
)
SOURCE_FIELD = "source"
"""Comes last where a trace has one: then the bytes of a trace without one do not change."""
STEP_FIELDS = ("actor", "what", "offered", "options", "outcome", "fingerprint")
EVENT_FIELDS = ("step", "actor", "kind", "label", "target")


def encode(trace: Trace) -> bytes:
    """The bytes of a trace; equal traces have equal bytes."""
    kinds = _event_kinds(trace)
    numbers = {kind: number for number, kind in enumerate(kinds)}
    steps = [[s.actor, s.what, s.offered, s.options, s.outcome, s.fingerprint] for s in trace.steps]
    events = [
        [
            event.step,
            event.actor,
            numbers[event.kind, tuple(name for name, _ in event.fields)],
            event.label,
            event.target,
            *[value for _, value in event.fields],
        ]
        for event in trace.events
    ]
    chunks = [
        (b"H", [_header_fields(bool(trace.source)), _header(trace, kinds)]),
        *_split(b"S", steps),
        *_split(b"E", events),
    ]
    out = bytearray(MAGIC + _VERSION.pack(VERSION))
    index = []
    for kind, records in chunks:
        index.append([kind.decode(), len(out), len(records)])
        out += _chunk(kind, records)
    out += _chunk(b"Z", index)
    if len(out) > MAX_FILE:
        raise TraceError(f"write trace: {len(out)} bytes, allowed are {MAX_FILE}")
    return bytes(out)


def decode(data: bytes) -> Trace:
    """The trace in `data`; TraceError, and nothing else, if the bytes are not a whole trace of this version."""
    if len(data) > MAX_FILE:
        raise TraceError(f"read trace: {len(data)} bytes, allowed are {MAX_FILE}")
    if data[: len(MAGIC)] != MAGIC[: len(data)]:
        raise TraceError("read trace: not a stopmarker trace (the first bytes differ)")
    start = len(MAGIC) + _VERSION.size
    if len(data) < start:
        raise TraceError(f"read trace: cut after {len(data)} bytes; the file is not whole")
    (version,) = _VERSION.unpack_from(data, len(MAGIC))
    if not OLDEST <= version <= VERSION:
        newer = "; a newer stopmarker wrote it" if version > VERSION else ""
        raise TraceError(f"read trace: format version {version}, this stopmarker reads {VERSION}{newer}")
    records: dict[bytes, list[Any]] = {b"H": [], b"S": [], b"E": []}
    index: list[list[object]] = []
    last = b"H"
    count = _Count()
    for kind, offset, payload in _chunks(data, start):
        items = _unpack(payload, offset, count)
        if kind == b"Z":
            if items != index:
                raise TraceError("read trace: the index does not match the chunks")
            break
        if kind not in records or b"HSE".index(kind) < b"HSE".index(last) or (kind == b"H" and index):
            raise TraceError(f"read trace: chunk {kind!r} at byte {offset} is out of place")
        last = kind
        index.append([kind.decode(), offset, len(items)])
        records[kind] += items
    if version == OLDEST:
        _add_hardware(records[b"H"])
    return _assemble(records[b"H"], records[b"S"], records[b"E"])


def _header_fields(with_source: bool) -> list[str]:
    return [*HEADER_FIELDS, SOURCE_FIELD] if with_source else list(HEADER_FIELDS)


def _header(trace: Trace, kinds: Sequence[tuple[str, tuple[str, ...]]]) -> list[object]:
    finding = trace.finding
    return [
        trace.stopmarker,
        trace.scenario,
        trace.params,
        bytes(trace.schedule),
        trace.outcome,
        None if finding is None else _finding_record(finding),
        trace.actors,
        trace.hardware,
        STEP_FIELDS,
        EVENT_FIELDS,
        kinds,
        *([trace.source] if trace.source else []),
    ]


def _event_kinds(trace: Trace) -> list[tuple[str, tuple[str, ...]]]:
    return list(dict.fromkeys((event.kind, tuple(name for name, _ in event.fields)) for event in trace.events))


def _split(kind: bytes, records: Sequence[object]) -> Iterator[tuple[bytes, Sequence[object]]]:
    for first in range(0, len(records), _RECORDS):
        yield kind, records[first : first + _RECORDS]


def _chunk(kind: bytes, records: Sequence[object]) -> bytes:
    payload: bytes = msgpack.packb(records)
    if len(payload) > MAX_CHUNK:
        raise TraceError(f"write trace: a chunk of {len(payload)} bytes, allowed are {MAX_CHUNK}")
    return _HEAD.pack(kind, len(payload), zlib.crc32(payload, zlib.crc32(kind))) + payload


def _chunks(data: bytes, position: int) -> Iterator[tuple[bytes, int, bytes]]:
    """Each chunk's kind, offset and payload; ends after the index, which must be the last bytes."""
    kind = b""
    while kind != b"Z":
        if len(data) - position < _HEAD.size:
            raise TraceError(f"read trace: cut after {len(data)} bytes; the file is not whole")
        kind, length, checksum = _HEAD.unpack_from(data, position)
        if length > MAX_CHUNK:
            raise TraceError(f"read trace: chunk at byte {position} claims {length} bytes, allowed are {MAX_CHUNK}")
        payload = data[position + _HEAD.size : position + _HEAD.size + length]
        if len(payload) < length:
            raise TraceError(f"read trace: cut after {len(data)} bytes; the chunk at byte {position} is not whole")
        if zlib.crc32(payload, zlib.crc32(kind)) != checksum:
            raise TraceError(f"read trace: checksum of the chunk at byte {position} differs; the file is damaged")
        offset, position = position, position + _HEAD.size + length
        if kind == b"Z" and position != len(data):
            raise TraceError(f"read trace: {len(data) - position} bytes after the index")
        yield kind, offset, payload


class _Count:
    """Counts the arrays of one file; TraceError beyond MAX_LISTS."""

    def __init__(self) -> None:
        self._lists = 0

    def __call__(self, items: list[Any]) -> list[Any]:
        """One more."""
        self._lists += 1
        if self._lists > MAX_LISTS:
            raise TraceError(f"read trace: more than {MAX_LISTS:,} arrays")
        return items


def _unpack(payload: bytes, offset: int, count: _Count) -> list[Any]:
    try:
        items = msgpack.unpackb(
            payload,
            raw=False,
            strict_map_key=True,
            max_str_len=MAX_TEXT,
            max_bin_len=MAX_SCHEDULE,
            max_array_len=MAX_ITEMS,
            max_map_len=0,
            max_ext_len=0,
            list_hook=count,
        )
    except (ValueError, RecursionError, msgpack.UnpackException) as problem:
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise TraceError(f"read trace: chunk at byte {offset}: {reason}") from None
    if not isinstance(items, list):
        raise TraceError(f"read trace: chunk at byte {offset} holds {type(items).__name__}, expected an array")
    return items


def _need(condition: bool, what: str) -> None:
    if not condition:
        raise TraceError(f"read trace: {what}")


def _add_hardware(header: list[Any]) -> None:
    """Make a header of version 1 one of today; what is malformed stays as it is, and is refused later."""
    place = HEADER_FIELDS.index("hardware")
    known = [*HEADER_FIELDS[:place], *HEADER_FIELDS[place + 1 :]]
    if len(header) != 2 or header[0] != known or not isinstance(header[1], list) or len(header[1]) != len(known):
        header.clear()
        return
    actors = header[1][HEADER_FIELDS.index("actors")]
    names = actors if _is_texts(actors) else []
    header[0].insert(place, "hardware")
    header[1].insert(place, [number for number, name in enumerate(names) if name.split(".")[0] in HARDWARE_THEN])


def _assemble(header: list[Any], steps: list[Any], events: list[Any]) -> Trace:
    known = [_header_fields(with_source) for with_source in (False, True)]
    _need(len(header) == 2 and header[0] in known, "the header's field list is not that of its version")
    _need(isinstance(header[1], list) and len(header[1]) == len(header[0]), "the header has missing fields")
    told, source = header[1][: len(HEADER_FIELDS)], [*header[1][len(HEADER_FIELDS) :], ""][0]
    (
        stopmarker,
        scenario,
        params,
        schedule,
        outcome,
        finding,
        actors,
        hardware,
        step_fields,
        event_fields,
        kinds,
    ) = told
    _need(isinstance(source, str) and bool(_DIGEST.fullmatch(source)), "the digest of the source is malformed")
    _need(isinstance(stopmarker, str) and isinstance(scenario, str), "version and scenario must be texts")
    _need(_is_pairs(params) and all(type(value) in (int, str) for _, value in params), "a parameter is malformed")
    _need(isinstance(schedule, bytes), "the schedule must be bytes")
    _need(isinstance(outcome, str) and outcome in list(Outcome), f"outcome {outcome!r} is unknown")
    _need(_is_texts(actors) and len(actors) <= MAX_ACTORS, f"actors must be up to {MAX_ACTORS} names")
    _need(_is_set(hardware, len(actors)), "who is hardware must be numbers of actors, each once")
    _need(
        step_fields == list(STEP_FIELDS) and event_fields == list(EVENT_FIELDS),
        "a field list is not that of its version",
    )
    _need(_is_pairs(kinds) and all(_is_texts(names) for _, names in kinds), "an event kind is malformed")
    return Trace(
        stopmarker=stopmarker,
        scenario=scenario,
        params=tuple((name, value) for name, value in params),
        schedule=tuple(schedule),
        outcome=outcome,
        finding=_finding(outcome, finding, len(steps)),
        actors=tuple(actors),
        hardware=tuple(hardware),
        steps=tuple(_step(number, record, len(actors)) for number, record in enumerate(steps)),
        events=tuple(_event(record, kinds, len(actors), len(steps)) for record in events),
        source=source,
    )


def _finding_record(finding: Finding) -> list[object]:
    """A finding without a place is written as it always was: then the bytes of a run do not change."""
    where = [finding.where] if finding.where else []
    return [finding.oracle, finding.message, finding.step, finding.objects, *where]


def _finding(outcome: str, record: object, steps: int) -> Finding | None:
    if record is None:
        return None
    _need(isinstance(record, list) and len(record) in (4, 5), "the finding is malformed")
    assert isinstance(record, list)
    oracle, message, step, objects = record[:4]
    where = record[4] if len(record) == 5 else ""
    _need(_is_texts([oracle, message, where]) and _is_texts(objects), "the finding is malformed")
    _need(_is_index(step, steps + 1), f"the finding's step {step!r} is not in 0..{steps}")
    objects = tuple(objects)
    return Finding(outcome=Outcome(outcome), oracle=oracle, message=message, step=step, objects=objects, where=where)


def _step(number: int, record: object, actors: int) -> TraceStep:
    _need(isinstance(record, list) and len(record) == len(STEP_FIELDS), f"step {number} is malformed")
    assert isinstance(record, list)
    actor, what, offered, options, outcome, mark = record
    _need(isinstance(what, str), f"step {number} has no text")
    _need(
        isinstance(offered, list) and all(_is_index(item, actors) for item in [actor, *offered]) and actor in offered,
        f"step {number} takes an actor that was not offered",
    )
    _need(_is_index(options, MAX_OPTIONS + 1) and _is_index(outcome, max(options, 1)), f"step {number}: bad outcome")
    same = type(mark) is int and mark == fingerprint(offered, actor, options, outcome)
    _need(same, f"step {number}: the fingerprint differs")
    return TraceStep(actor=actor, what=what, offered=tuple(offered), options=options, outcome=outcome, fingerprint=mark)


def _event(record: object, kinds: list[Any], actors: int, steps: int) -> TraceEvent:
    fixed = len(EVENT_FIELDS)
    _need(isinstance(record, list) and len(record) >= fixed, "an event is malformed")
    assert isinstance(record, list)
    step, actor, number, label, target = record[:fixed]
    _need(_is_index(step, max(steps, 1)) and _is_index(actor, max(actors, 1)), "an event lies outside the run")
    _need(_is_index(number, len(kinds)), "an event has no kind")
    _need(isinstance(label, str) and (target is None or isinstance(target, str)), "an event has no label")
    kind, names = kinds[number]
    _need(len(record) == fixed + len(names), f"event {kind} has other fields than its kind")
    values = [_value(item, 0) for item in record[fixed:]]
    pairs = tuple(zip(names, values, strict=True))
    return TraceEvent(step=step, actor=actor, kind=kind, label=label, target=target, fields=pairs)


def _value(item: object, depth: int) -> Value:
    _need(depth <= MAX_DEPTH, f"a value is nested deeper than {MAX_DEPTH}")
    if isinstance(item, list):
        return tuple(_value(inner, depth + 1) for inner in item)
    _need(item is None or isinstance(item, int | float | str | bytes), f"a value of type {type(item).__name__}")
    assert item is None or isinstance(item, int | float | str | bytes)
    return item


def _is_index(item: object, end: int) -> bool:
    return type(item) is int and 0 <= item < end


def _is_set(item: object, end: int) -> bool:
    """Whether it is a list of indices below `end` that grow."""
    return (
        isinstance(item, list)
        and all(_is_index(number, end) for number in item)
        and all(one < other for one, other in pairwise(item))
    )


def _is_texts(item: object) -> bool:
    return isinstance(item, list) and all(isinstance(text, str) for text in item)


def _is_pairs(item: object) -> bool:
    return isinstance(item, list) and all(
        isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str) for pair in item
    )
