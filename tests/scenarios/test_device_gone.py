"""Races R21 and R23: who waits for a device that is gone, and who waits with him."""

from __future__ import annotations

import pytest

from scenarios.device_gone import device_gone
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "driver=retries": (1456, 1420),
    "driver=looks-before": (1457, 1420),
    "driver=looks-again": (69, 0),
    "driver=looks-again,loss=reset": (408, 368),
    "driver=blocks-ats,loss=reset": (41, 0),
    "driver=blocks-ats": (69, 0),
    "driver=blocks-ats,loss=reset,others=1": (416, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", device_gone.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(device_gone, expected, TRACES)
