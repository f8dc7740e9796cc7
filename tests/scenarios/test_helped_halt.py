"""Seed 001, the secondary case: a drain helps a device to halt that cannot do so on its own, and is no halt itself."""

from __future__ import annotations

import pytest

from scenarios.drain.helped_halt import helped_halt
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {"halt=waits": (41, 41)}
"""Inequivalent schedules of a combination, and how many of them fail."""
BUDGET, HUNTED = 200, 1_000


@pytest.mark.parametrize("expected", helped_halt.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(helped_halt, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


@pytest.mark.long
def test_all_schedules_of_a_device_that_is_refused_hold() -> None:
    report = exhaust(helped_halt, {"halt": "refuses"})
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (1_565, 0, True, [])
