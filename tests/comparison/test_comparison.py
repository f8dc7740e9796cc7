"""Random programs on the public face: what search finds is what all interleavings show.

On a difference the program is printed; it belongs into `test_kept.py`, as short as it can be made.
"""

from __future__ import annotations

import pytest

from .generator import TIMED_FROM, WAITING_FROM
from .stock import Comparison

DAILY: dict[int, tuple[int, int, int, int, int, int]] = {
    0: (16, 1, 33, 11, 683, 4110913868),
    4_000: (18, 0, 32, 6, 507, 3310307035),
    8_000: (15, 1, 34, 7, 463, 1727949159),
    12_000: (15, 3, 32, 8, 384, 974456167),
    16_000: (16, 2, 32, 3, 391, 4293433415),
    20_000: (9, 4, 37, 6, 450, 2751030749),
    WAITING_FROM: (4, 0, 46, 3, 723, 903620166),
    TIMED_FROM: (23, 5, 22, 2, 295, 2055296925),
}
"""From each of these seeds on 50 programs: how many hold, are vacuous, are violated; how many others have too many
interleavings; the classes, and the digest of the texts."""
DAILY_MOST = 800
LONG_MOST = 2_000
LARGE_MOST = 50_000
LONG_APART = 300
LONG_PROGRAMS = 200
"""Of each of a hundred shards; their seeds are LONG_APART apart."""


@pytest.mark.parametrize("first", DAILY)
def test_search_finds_what_all_interleavings_show(first: int) -> None:
    seen = Comparison(DAILY_MOST)
    seen.run(first, 50)
    assert not seen.found, "\n\n".join(seen.found)
    verdicts = [seen.verdicts[verdict] for verdict in ("holds", "vacuous", "violated")]
    assert (*verdicts, seen.too_many, seen.classes, seen.digest) == DAILY[first]


@pytest.mark.long
@pytest.mark.parametrize("shard", range(100))
def test_search_finds_what_all_interleavings_show_in_many_more(shard: int) -> None:
    """20,000 programs in all."""
    seen = Comparison(LONG_MOST)
    seen.run(shard * LONG_APART, LONG_PROGRAMS)
    assert not seen.found, "\n\n".join(seen.found)
    assert seen.verdicts.total() == LONG_PROGRAMS
    assert seen.verdicts.total() + seen.too_many <= LONG_APART


@pytest.mark.long
@pytest.mark.parametrize("shard", range(50))
def test_search_finds_what_all_interleavings_show_where_all_wait(shard: int) -> None:
    """10,000 programs in all."""
    seen = Comparison(LONG_MOST)
    seen.run(WAITING_FROM + shard * LONG_APART, LONG_PROGRAMS)
    assert not seen.found, "\n\n".join(seen.found)
    assert seen.verdicts.total() == LONG_PROGRAMS
    assert seen.verdicts.total() + seen.too_many <= LONG_APART


@pytest.mark.long
@pytest.mark.parametrize("shard", range(18))
def test_search_finds_what_all_interleavings_show_where_time_is_over(shard: int) -> None:
    """3,600 programs in all."""
    seen = Comparison(LONG_MOST)
    seen.run(TIMED_FROM + shard * LONG_APART, LONG_PROGRAMS)
    assert not seen.found, "\n\n".join(seen.found)
    assert seen.verdicts.total() == LONG_PROGRAMS


@pytest.mark.long
@pytest.mark.parametrize("shard", range(8))
def test_search_finds_what_all_interleavings_show_in_larger_ones(shard: int) -> None:
    """One program in ten has thousands of interleavings."""
    seen = Comparison(LARGE_MOST)
    seen.run(40_000 + shard * LONG_APART, 50)
    assert not seen.found, "\n\n".join(seen.found)
    assert seen.verdicts.total() == 50
