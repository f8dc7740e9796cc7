"""Race SMMU-R38: every row of the PASID lifetime table."""

from __future__ import annotations

import pytest

from scenarios.pasid_lifetime import pasid_lifetime
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "free=unbind": (87, 0),
    "free=mmput,accesses=0": (41, 20),
    "free=mmdrop": (87, 0),
    "free=mmdrop,closer=other,reuse=strict": (1762, 0),
    "free=unbind,closer=other": (378, 20),
    "free=unbind-asks,closer=other,reuse=strict": (340, 0),
    "free=iommu-mm": (87, 0),
    "free=iommu-mm-mmput,accesses=0": (41, 41),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

DEEP = {"free=mmput": 1_034}
"""Schedules for what breaks late."""


@pytest.mark.parametrize("expected", pasid_lifetime.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(pasid_lifetime, expected, TRACES, DEEP.get(identity(expected), 0))
