"""One completion for all who drain VT-d's page request queue: a lost wake-up, and what prevents it."""

from __future__ import annotations

import pytest

from scenarios.drain.two_drains import two_drains
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {"completion=shared,drainers=one": (85, 0)}
"""Inequivalent schedules of a combination, and how many of them fail; with two drainers there are thousands."""
BUDGET, HUNTED = 150, 4_000


@pytest.mark.parametrize("expected", two_drains.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(two_drains, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


@pytest.mark.long
@pytest.mark.parametrize(
    ("completion", "schedules", "failing"),
    [("shared", 12_797, 219), ("shared-locked", 7_063, 0), ("per-waiter", 8_572, 0)],
)
def test_all_schedules_of_two_drainers(completion: str, schedules: int, failing: int) -> None:
    report = exhaust(two_drains, {"completion": completion})
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (schedules, failing, True, [])
    assert {signature[0] for signature in report.found} == ({"no-deadlock"} if failing else set())
