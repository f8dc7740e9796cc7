"""Seed 000: the page that the new owner gets, and the response that the device believes."""

from __future__ import annotations

import pytest

from scenarios.drain.misdirected_fault import misdirected_fault
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {"drain=full": (415, 0)}
"""Inequivalent schedules of a combination, and how many of them fail."""
BUDGET, HUNTED = 300, 4_000


@pytest.mark.parametrize("expected", misdirected_fault.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(misdirected_fault, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


@pytest.mark.long
@pytest.mark.parametrize(("watch", "failing"), [("page", 160), ("memory", 0)])
def test_all_schedules_of_a_device_that_stops_as_it_should(watch: str, failing: int) -> None:
    report = exhaust(misdirected_fault, {"drain": "none", "watch": watch})
    assert (report.schedules, report.failing, report.complete) == (1_194, failing, True)
