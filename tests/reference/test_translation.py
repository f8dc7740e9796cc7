"""Translation on random memory: the model and the second reading of the specifications agree, and everything occurs."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.reference import random_smmuv3, random_vtd, smmuv3, vtd

DAILY = 5_000
LONG = 100_000

SMMUV3 = """
MEMORY MARKED 0x00:38
READ ABORT 0x00:113 0x02:25 0x03:26 0x04:227 0x06:66 0x08:271 0x09:30 0x0a:228 0x0b:10 0x10:18 0x11:24 0x12:2
READ ABORT 0x13:6
READ DONE 0x00:232
READ IGNORED 0x00:31 0x10:9 0x11:6 0x12:1 0x13:4
READ STALL 0x10:49 0x11:8 0x12:16 0x13:12
REQUEST CA 0x00:401 0x02:13 0x03:16 0x04:112 0x06:39 0x08:98 0x09:15 0x0a:109 0x0b:6
REQUEST GRANT 0x00:158
REQUEST HOLE 0x00:208
REQUEST UR 0x00:103 0x05:169
TRANSLATED ABORT 0x00:111 0x07:47
TRANSLATED DONE 0x00:551
WRITE ABORT 0x00:170 0x02:24 0x03:31 0x04:216 0x06:96 0x08:279 0x09:19 0x0a:181 0x0b:14 0x10:16 0x11:23 0x12:5
WRITE ABORT 0x13:13
WRITE DONE 0x00:158
WRITE IGNORED 0x00:21 0x10:12 0x11:3 0x12:3 0x13:13
WRITE STALL 0x10:61 0x11:7 0x12:13 0x13:52
"""

VTD = """
PAGE_REQUEST QUEUED 0x00:289
PAGE_REQUEST REFUSED 0x00:100 0x40:11 0x41:19 0x42:21 0x45:7 0x46:18 0x47:79 0x50:27 0x52:6 0x58:18 0x5a:5
PAGE_REQUEST REFUSED 0x5b:47
READ BLOCKED 0x00:279 0x40:26 0x41:48 0x42:33 0x45:42 0x46:31 0x50:37 0x51:18 0x52:15 0x58:31 0x59:30 0x5a:12
READ BLOCKED 0x5b:108 0x70:6 0x71:108 0x72:54 0x73:16 0x80:9 0x81:64
READ DONE 0x00:297
REQUEST GRANT 0x00:295
REQUEST HOLE 0x00:304
REQUEST REFUSED 0x00:141 0x40:19 0x41:45 0x42:39 0x44:76 0x45:43 0x46:51 0x50:27 0x52:8 0x58:37 0x5a:13
REQUEST REFUSED 0x5b:75 0x70:7 0x72:38 0x73:14
TRANSLATED DONE 0x00:638
WRITE BLOCKED 0x00:304 0x40:25 0x41:31 0x42:46 0x45:27 0x46:51 0x50:37 0x51:24 0x52:7 0x58:40 0x59:30 0x5a:12
WRITE BLOCKED 0x5b:109 0x70:6 0x71:87 0x72:43 0x73:9 0x80:10 0x81:43 0x85:32
WRITE DONE 0x00:246
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
        memory = vtd.Memory(given.words, random_vtd.FRAMES << 12)
        expected = vtd.translate(memory, given.unit, given.ask)
        assert random_vtd.answer_of_the_model(given) == expected, given
        seen[f"{given.ask.kind.name} {expected.end.name} {expected.reason:#04x}"] += 1
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
