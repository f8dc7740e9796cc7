"""Race SMMU-R32: a bond that pins an ASID holds its mm."""

from __future__ import annotations

import pytest

from scenarios.mm_pin import mm_pin
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "pin=no-grab": (2, 1),
    "pin=grab": (3, 0),
    "pin=no-grab,closer=self": (1, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", mm_pin.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(mm_pin, expected, TRACES)
