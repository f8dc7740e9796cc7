"""Race SMMU-R37: nobody stalls for a dead process; and the stall model under early retries."""

from __future__ import annotations

import pytest

from scenarios.quiet_cd_stalls import quiet_cd_stalls
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "quiet=stall,accesses=1": (2062, 650),
    "quiet=abort": (517, 0),
    "quiet=abort,early=1,accesses=1": (742, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", quiet_cd_stalls.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(quiet_cd_stalls, expected, TRACES)
