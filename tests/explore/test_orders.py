"""A second method: whoever goes first in the search, DPOR comes to the same happens-before orders.

It sees what an exact number cannot: steps that do not commute, and races that are not turned round.
"""

from __future__ import annotations

from collections import Counter

import pytest

from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.commute import Row, rows
from actors.runtime.runs.execution import Execution
from scenarios.catalogue import load
from tools.explore.dpor.dpor import Dpor

from .searching import search, worlds


def classes(name: str, given: dict[str, int | str], goes_on: bool) -> Counter[tuple[Row, ...]]:
    """How often each happens-before order was run, with one of two actors to try first."""
    seen: Counter[tuple[Row, ...]] = Counter()

    def watch(execution: Execution) -> None:
        seen[tuple(sorted(rows(execution, causality_of(execution).past)))] += 1

    report = search(worlds(load(name), **given), Dpor(goes_on=goes_on), watch=watch)
    assert report.complete
    return seen


@pytest.mark.parametrize(
    ("name", "given", "count"),
    [
        ("unbind-window", {"drain": "full"}, 415),
        ("entry-update", {"change": "sva-other", "writer": "6.9"}, 104),
        ("entry-update", {"change": "s1dss", "prefetches": 1}, 173),
        ("cd-leaf", {"cfgi": "leaf-0"}, 72),
        ("attach-vs-share-asid", {"attach": "A2", "cmdq": "each"}, 217),
        ("attach-vs-share-asid", {"attach": "A3"}, 242),
        ("tlbi-vs-atc", {}, 167),
        ("stall-term", {"order": "architected", "accesses": 2}, 468),
        ("quiet-cd-stalls", {"quiet": "abort"}, 517),
        ("sva-unbind-era", {"era": "7.1"}, 327),
        ("device-gone", {"driver": "looks-again"}, 16),
        ("torn-pasid-entry", {}, 122),
        ("prq-drain", {"order": "O1"}, 346),
        ("attach-ats", {"ats": "off-on"}, 332),
    ],
)
def test_both_searches_find_the_same_classes(name: str, given: dict[str, int | str], count: int) -> None:
    found = classes(name, given, goes_on=True)
    assert found.keys() == classes(name, given, goes_on=False).keys()
    assert (len(found), found.total()) == (count, count)
