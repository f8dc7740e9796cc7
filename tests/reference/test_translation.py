"""Translation on random memory: the model and the second reading of the specifications agree, and everything occurs."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.reference import random_smmuv3, random_vtd, smmuv3, vtd

DAILY = 5_000
LONG = 100_000

SMMUV3 = """
MEMORY MARKED 0x00:44
READ ABORT 0x00:135 0x02:24 0x03:30 0x04:228 0x06:75 0x08:285 0x09:29 0x0a:229 0x0b:11 0x10:12 0x11:20 0x12:3
READ ABORT 0x13:5
READ DONE 0x00:223
READ IGNORED 0x00:26 0x10:9 0x11:6 0x12:2 0x13:3
READ STALL 0x10:50 0x11:8 0x12:12 0x13:18
REQUEST CA 0x00:416 0x02:15 0x03:12 0x04:108 0x06:47 0x08:105 0x09:15 0x0a:94 0x0b:5
REQUEST GRANT 0x00:189
REQUEST HOLE 0x00:192
REQUEST UR 0x00:74 0x05:189
TRANSLATED ABORT 0x00:64 0x02:5 0x03:6 0x04:29 0x07:73
TRANSLATED DONE 0x00:497
WRITE ABORT 0x00:154 0x02:15 0x03:26 0x04:231 0x06:83 0x08:267 0x09:18 0x0a:214 0x0b:11 0x10:24 0x11:24 0x12:3
WRITE ABORT 0x13:14
WRITE DONE 0x00:150
WRITE IGNORED 0x00:28 0x10:14 0x11:4 0x12:2 0x13:19
WRITE STALL 0x10:62 0x11:6 0x12:14 0x13:39
"""

VTD = """
MEMORY MARKED 0x00:1111
PAGE_REQUEST QUEUED 0x00:298
PAGE_REQUEST REFUSED 0x00:101 0x40:12 0x41:11 0x42:15 0x45:16 0x46:24 0x47:70 0x50:17 0x52:8 0x58:22 0x5a:5
PAGE_REQUEST REFUSED 0x5b:37
READ BLOCKED 0x00:286 0x40:31 0x41:55 0x42:47 0x45:35 0x46:38 0x50:46 0x51:20 0x52:21 0x58:42 0x59:29 0x5a:8
READ BLOCKED 0x5b:96 0x70:8 0x71:95 0x72:46 0x73:14 0x80:7 0x81:54
READ DONE 0x00:297
REQUEST GRANT 0x00:298
REQUEST HOLE 0x00:289
REQUEST REFUSED 0x00:128 0x40:30 0x41:43 0x42:38 0x44:76 0x45:33 0x46:42 0x50:29 0x52:17 0x58:39 0x5a:14
REQUEST REFUSED 0x5b:84 0x70:7 0x72:49 0x73:20
TRANSLATED DONE 0x00:614
WRITE BLOCKED 0x00:275 0x40:22 0x41:38 0x42:48 0x45:33 0x46:47 0x50:44 0x51:21 0x52:8 0x58:34 0x59:40 0x5a:11
WRITE BLOCKED 0x5b:100 0x70:5 0x71:94 0x72:34 0x73:12 0x80:21 0x81:63 0x85:28
WRITE DONE 0x00:261
"""


def smmuv3_kinds(count: int) -> Counter[str]:
    """How often each outcome occurs in so many vectors, on which both agree."""
    random, seen = Random("SMMUv3"), Counter[str]()
    for _ in range(count):
        given = random_smmuv3.vector(random)
        memory = smmuv3.Memory(dict(given.words), random_smmuv3.FRAMES << 12)
        expected = smmuv3.translate(memory, given.registers, given.ask)
        outcome, words = random_smmuv3.answer_of_the_model(given)
        assert outcome == expected, given
        assert words == {address: memory.words[address] for address in given.words}, given
        seen[f"{given.ask.kind.name} {expected.end.name} {expected.event:#04x}"] += 1
        seen["MEMORY MARKED 0x00"] += words != given.words
    return seen


def vtd_kinds(count: int) -> Counter[str]:
    """The same for VT-d."""
    random, seen = Random("VT-d"), Counter[str]()
    for _ in range(count):
        given = random_vtd.vector(random)
        memory = vtd.Memory(dict(given.words), random_vtd.FRAMES << 12)
        expected = vtd.translate(memory, given.unit, given.ask)
        outcome, words = random_vtd.answer_of_the_model(given)
        assert outcome == expected, given
        assert words == {address: memory.words[address] for address in given.words}, given
        seen[f"{given.ask.kind.name} {expected.end.name} {expected.reason:#04x}"] += 1
        seen["MEMORY MARKED 0x00"] += words != given.words
    return seen


def table(text: str) -> dict[str, int]:
    """Kind and end in front, then each reason with its count."""
    counts: dict[str, int] = {}
    for line in text.strip().splitlines():
        kind, end, *pairs = line.split()
        counts |= {f"{kind} {end} {reason}": int(number) for reason, number in (pair.split(":") for pair in pairs)}
    return counts


def test_smmuv3_agrees_with_the_second_reading() -> None:
    assert smmuv3_kinds(DAILY) == table(SMMUV3)


def test_vtd_agrees_with_the_second_reading() -> None:
    assert vtd_kinds(DAILY) == table(VTD)


@pytest.mark.long
def test_smmuv3_agrees_on_many_more() -> None:
    assert smmuv3_kinds(LONG).keys() == table(SMMUV3).keys()


@pytest.mark.long
def test_vtd_agrees_on_many_more() -> None:
    assert vtd_kinds(LONG).keys() == table(VTD).keys()
