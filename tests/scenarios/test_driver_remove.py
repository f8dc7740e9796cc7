"""Seed 001: remove() halts the device first."""

from __future__ import annotations

import pytest

from scenarios.reset.driver_remove import driver_remove
from scenarios.scenario import Expected
from tests.searching import assert_table, identity

TRACES = {
    "order=unmap-first": (82, 79),
    "order=never": (81, 79),
    "order=free-first": (7, 1),
    "order=halt-first,accesses=2": (3, 0),
    "order=free-first,iommu=vtd": (7, 1),
    "order=halt-first,iommu=vtd": (2, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", driver_remove.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(driver_remove, expected, TRACES[identity(expected)], budget=0)
