"""Rows of the tables that take too long for every day, with what they came to: `pytest -m long` makes them again."""

from __future__ import annotations

import pytest

from scenarios.scenario import Scenario
from scenarios.unbind_window import unbind_window
from tests.searching import exhaust


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "given", "schedules"),
    [
        (unbind_window, {"drain": "full", "stop": "A", "reclaim": 1}, 21_666),  # under a minute
    ],
)
def test_all_inequivalent_schedules_hold(scenario: Scenario, given: dict[str, int | str], schedules: int) -> None:
    report = exhaust(scenario, given)
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (schedules, 0, True, [])
