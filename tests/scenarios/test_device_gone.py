"""Races R21 and R23: who waits for a device that is gone, and who waits with him."""

from __future__ import annotations

import pytest

from scenarios.device_gone import device_gone
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_footprints, assert_verdict
from tests.searching import identity

TRACES = {
    "driver=retries": (518, 490),
    "driver=looks-before": (519, 490),
    "driver=looks-again": (49, 0),
    "driver=looks-again,loss=reset": (268, 228),
    "driver=blocks-ats,loss=reset": (41, 0),
    "driver=blocks-ats": (49, 0),
    "driver=blocks-ats,loss=reset,others=1": (416, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", device_gone.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(device_gone, expected, TRACES)


@pytest.mark.parametrize("expected", device_gone.expected, ids=identity)
def test_no_step_touches_what_it_does_not_declare(expected: Expected) -> None:
    assert_footprints(device_gone, expected)
