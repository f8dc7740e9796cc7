"""ITags: with two owners a completion says nothing; with none free a request waits."""

from __future__ import annotations

import pytest

from scenarios.invalidate.itag_reuse import itag_reuse
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "unit=reuses": (108, 72),
    "unit=reuses,cpus=2": (4, 0),
    "unit=right": (36, 0),
    "unit=right,itags=1": (36, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", itag_reuse.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(itag_reuse, expected, TRACES)
