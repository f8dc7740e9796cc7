"""Commands, descriptors and queue records: the model says of random words what a second list of bits says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest

from hw.bus import Pasid, PhysAddr, Prgi, StreamId, VirtAddr
from hw.memory import Memory
from hw.pcie.tlp import NO_PASID, ResponseCode
from hw.smmuv3 import commands, evtq, priq
from hw.smmuv3.evtq import EventClass, EventId
from hw.smmuv3.priq import AsksEntry, AutoResponse, PageRequestEntry, Priq
from hw.smmuv3.queues import Accepted, Ring
from hw.smmuv3.registers import Registers
from hw.tlb import PageRange
from hw.vtd import faults, invalidation, prq
from hw.vtd.faults import FaultReason, RequestKind
from tests.reference import records

VECTORS = 300
"""For each opcode, type or kind of record."""
WORD = (1 << 64) - 1


def words_of(record: int, count: int) -> tuple[int, ...]:
    """The 64-bit words of a record, lowest first."""
    return tuple(record >> 64 * number & WORD for number in range(count))


def values(random: Random, fields: records.Fields) -> dict[str, int]:
    """A random value of every field."""
    return {name: random.getrandbits(width) << shift for name, (_, width, shift) in fields.items()}


def decoded(word: int, *, hyp: bool, stage2: bool) -> dict[str, int] | None:
    """What the model says of a command."""
    try:
        command = commands.decode(*words_of(word, 2), hyp=hyp, stage2=stage2)
    except commands.CommandError:
        return None
    names = ("opcode", *records.COMMANDS[command.opcode])
    return {name: int(getattr(command, name)) for name in names}


@pytest.mark.parametrize("hyp", [False, True])
@pytest.mark.parametrize("stage2", [False, True])
def test_commands(hyp: bool, stage2: bool) -> None:
    random = Random("commands")
    legal: Counter[int] = Counter()
    for opcode in range(256):
        for _ in range(VECTORS if opcode in records.COMMANDS else 3):
            word = random.getrandbits(120) << 8 | opcode
            expected = records.command(word, el2=hyp, stage2=stage2)
            assert decoded(word, hyp=hyp, stage2=stage2) == expected, hex(word)
            legal[opcode] += expected is not None
    assert sum(count > 0 for count in legal.values()) == 20 - (not hyp) * 3 - (not stage2) * 2
    some = {opcode: count for opcode, count in legal.items() if 0 < count < VECTORS}
    assert some == {0x40: 248, 0x41: 220, 0x46: 217}


def test_entries_of_the_pri_queue() -> None:
    random = Random("PRIQ")
    for _ in range(VECTORS):
        wanted = values(random, records.PAGE_REQUEST)
        words = words_of(records.write(records.PAGE_REQUEST, wanted), 2)
        entry = priq.decode(*words)
        assert {name: int(getattr(entry, name)) for name in wanted} == wanted
        assert priq.encode(entry) == words


def test_entries_of_the_event_queue() -> None:
    random, names = Random("EVTQ"), {"pnu": "privileged", "ind": "instruction", "rnw": "read", "s2": "stage2"}
    for number, event in product(range(VECTORS // 10), EventId):
        wanted = values(random, records.EVENT) | {"id": int(event), "class_": number % 3}
        words = words_of(records.write(records.EVENT, wanted), 4)
        record = evtq.decode(words)
        assert (record.id, record.event_class) == (event, EventClass(number % 3))
        for name in wanted.keys() - {"id", "class_"}:
            assert int(getattr(record, names.get(name, name))) == wanted[name], name
        assert evtq.encode(record) == words


def test_descriptors_of_page_requests() -> None:
    random = Random("PRQ")
    for _ in range(VECTORS):
        wanted = values(random, records.VTD_PAGE_REQUEST) | {"type": 1}
        found = prq.decode(words_of(records.write(records.VTD_PAGE_REQUEST, wanted), 4))
        assert found.pasid == (wanted["pasid"] if wanted["pasid_present"] else NO_PASID)
        for name in wanted.keys() - {"type", "pasid_present", "pasid"}:
            assert int(getattr(found, name)) == wanted[name], name


def test_fault_records() -> None:
    random = Random("FRCD")
    kinds = {kind.value: kind for kind in RequestKind}
    for reason, (t1, t2, at) in product(FaultReason, kinds):
        wanted = values(random, records.VTD_FAULT) | {"reason": int(reason), "type1": t1, "type2": t2, "at": at}
        found = faults.decode(words_of(records.write(records.VTD_FAULT, wanted), 2))
        if not wanted["f"]:
            assert found is None
            continue
        assert found is not None
        assert (found.reason, found.kind, found.sid) == (reason, kinds[t1, t2, at], wanted["sid"])
        assert found.pasid == (wanted["pasid"] if wanted["pasid_present"] else None)
        assert (found.address, found.execute, found.privileged) == (
            wanted["address"],
            wanted["execute"],
            wanted["priv"],
        )


def meaning(descriptor: Any) -> dict[str, Any]:
    """What a decoded descriptor says, with the range as one value."""
    return {name: getattr(descriptor, name) for name in descriptor.__slots__}


def pages(wanted: dict[str, int], whole: bool) -> PageRange:
    """AM and ADDR: 2^AM pages, aligned; beyond 52 there is nothing more to say."""
    order = 52 if whole else min(wanted["am"], 52)
    return PageRange(address=VirtAddr(wanted["address"] >> 12 + order << 12 + order if not whole else 0), order=order)


EXPECTED: dict[int, Callable[[dict[str, int]], dict[str, Any]]] = {
    1: lambda w: {"granularity": w["granularity"], "did": w["did"], "sid": w["sid"], "function_mask": w["fm"]},
    2: lambda w: {
        "granularity": w["granularity"],
        "did": w["did"],
        "pages": pages(w, w["granularity"] != 3),
        "hint": w["ih"],
        "drain_reads": 0,
        "drain_writes": 0,
    },
    5: lambda w: {
        "interrupt": w["interrupt"],
        "status_write": w["write"],
        "fence": w["fence"],
        "drain": w["drain"],
        "status_data": w["data"],
        "status_address": w["address"],
    },
    6: lambda w: {
        "granularity": w["granularity"],
        "did": w["did"],
        "pasid": w["pasid"],
        "pages": pages(w, w["granularity"] != 3),
        "hint": w["ih"],
    },
    7: lambda w: {"granularity": w["granularity"], "did": w["did"], "pasid": w["pasid"]},
    9: lambda w: {
        "sid": w["sid"],
        "prgi": w["prgi"],
        "code": w["code"],
        "pasid": w["pasid"] if w["pasid_present"] else NO_PASID,
        "last": w["last"],
        "private_data": w["private"],
    },
}
LEGAL_GRANULARITIES = {1: {1, 2, 3}, 2: {1, 2, 3}, 6: {2, 3}, 7: {0, 1, 3}}


@pytest.mark.parametrize(("kind", "legal"), [(1, 226), (2, 231), (5, 300), (6, 155), (7, 227), (9, 300)])
def test_descriptors_of_the_invalidation_queue(kind: int, legal: int) -> None:
    random, fields = Random(kind), records.DESCRIPTORS[kind]
    seen = 0
    for _ in range(VECTORS):
        wanted = values(random, fields)
        found = invalidation.decode(words_of(records.write(fields, wanted) | kind, 4))
        if wanted.get("granularity", 0) not in LEGAL_GRANULARITIES.get(kind, {0}):
            assert found is invalidation.Iqei.RESERVED
            continue
        seen += 1
        assert meaning(found) == EXPECTED[kind](wanted)
    assert seen == legal


def test_what_becomes_of_page_requests() -> None:
    seen: Counter[str] = Counter()
    for enabled, full, last, marker, pasid in product((False, True), repeat=5):
        if marker and not (last and pasid):
            continue
        registers, ring = Registers(PhysAddr(0)), Ring(PhysAddr(0x1000), 0, 2)
        queue = Priq(Memory(2), ring, registers.PRIQ_PROD, registers.PRIQ_CONS)
        if full:
            queue.accept(entry(last=True, marker=False, pasid=True))
        answer = queue.accept(entry(last=last, marker=marker, pasid=pasid), enabled=enabled)
        expected = records.refusal(enabled=enabled, full=full, last=last, marker=marker, pasid=pasid)
        assert told(answer) == expected
        seen[expected] += 1
    assert seen == {"failure": 8, "dropped": 5, "queued": 5, "asks": 1, "success": 1}


def told(answer: object) -> str:
    """The model's answer, in the second reading's words."""
    match answer:
        case Accepted():
            return "queued"
        case AsksEntry():
            return "asks"
        case AutoResponse(code=code):
            return "success" if code is ResponseCode.SUCCESS else "failure"
        case _:
            return "dropped"


def entry(*, last: bool, marker: bool, pasid: bool) -> PageRequestEntry:
    """A request to read, or a Stop Marker."""
    return PageRequestEntry(
        sid=StreamId(0),
        ssid=Pasid(pasid),
        ssv=pasid,
        read=not marker,
        write=False,
        execute=False,
        priv=False,
        last=last,
        prgi=Prgi(1),
        address=VirtAddr(0x7000),
    )
