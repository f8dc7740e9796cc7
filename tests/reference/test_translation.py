"""Translation on random memory: the model and the second reading of the specifications agree, and everything occurs."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from tests.reference import random_smmuv3, random_vtd, smmuv3, vtd

DAILY = 5_000
LONG = 100_000

SMMUV3 = """
READ ABORT 0x00:121 0x02:30 0x03:30 0x04:234 0x06:78 0x08:285 0x09:19 0x0a:223 0x0b:10 0x10:17 0x11:18 0x12:6
READ ABORT 0x13:3
READ DONE 0x00:227
READ IGNORED 0x00:33 0x10:9 0x11:3 0x12:6 0x13:3
READ STALL 0x10:59 0x11:7 0x12:18 0x13:12
REQUEST CA 0x00:397 0x02:11 0x03:6 0x04:106 0x06:42 0x08:82 0x09:8 0x0a:116 0x0b:2
REQUEST GRANT 0x00:149
REQUEST HOLE 0x00:199
REQUEST UR 0x00:117 0x05:154
TRANSLATED ABORT 0x00:113 0x07:41
TRANSLATED DONE 0x00:558
WRITE ABORT 0x00:132 0x02:20 0x03:24 0x04:234 0x06:80 0x08:262 0x09:25 0x0a:219 0x0b:13 0x10:14 0x11:21 0x12:5
WRITE ABORT 0x13:13
WRITE DONE 0x00:164
WRITE IGNORED 0x00:31 0x10:17 0x11:2 0x12:6 0x13:16
WRITE STALL 0x10:61 0x11:15 0x12:22 0x13:52
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
        memory = smmuv3.Memory(given.words, random_smmuv3.FRAMES << 12)
        expected = smmuv3.translate(memory, given.registers, given.ask)
        assert random_smmuv3.answer_of_the_model(given) == expected, given
        seen[f"{given.ask.kind.name} {expected.end.name} {expected.event:#04x}"] += 1
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
