"""Seed 001: what makes page request tags invalid (a reset of the queue), and what does not (a flush of the ATC)."""

from __future__ import annotations

import pytest

from scenarios.reset.tags_after_flush import tags_after_flush
from scenarios.reset.wq_reset import wq_reset
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

RESETS = {
    "drain=none": (213, 48),
    "drain=after": (169, 0),
    "drain=drain-wq": (93, 0),
    "drain=after,end=worker": (265, 40),
    "drain=after,pushed=root-complex": (745, 88),
    "drain=drain-wq,pushed=root-complex": (93, 0),
    "drain=after,iommu=smmuv3": (331, 64),
    "drain=drain-wq,iommu=smmuv3": (71, 0),
}
FLUSHES = {
    "tags=forgotten": (392, 120),
    "tags=kept": (62, 0),
    "tags=forgotten,iommu=vtd": (276, 72),
    "tags=kept,iommu=vtd": (51, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", wq_reset.expected, ids=identity)
def test_a_reset_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(wq_reset, expected, RESETS.get(identity(expected)), budget=300, hunted=1_000)


@pytest.mark.parametrize("expected", tags_after_flush.expected, ids=identity)
def test_a_flush_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(tags_after_flush, expected, FLUSHES[identity(expected)], budget=0)


@pytest.mark.long
def test_a_drain_before_the_reset_lets_hundreds_of_schedules_fail() -> None:
    report = exhaust(wq_reset, {"drain": "before"})
    assert (report.schedules, report.failing, report.complete) == (2_091, 376, True)
