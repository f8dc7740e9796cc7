"""Race SMMU-R31: no GFP_KERNEL under a spin lock."""

from __future__ import annotations

import pytest

from scenarios.scenario import Expected
from scenarios.spinlock_alloc import spinlock_alloc
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "install=walk-devices": (2, 2),
    "install=one-master": (1, 0),
    "install=walk-devices,leaf=present": (2, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", spinlock_alloc.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(spinlock_alloc, expected, TRACES)
