"""Races SMMU-R02 and SMMU-R07: an overflow is acknowledged, where hardware sees it, and last."""

from __future__ import annotations

import pytest

from scenarios.queue_ack import queue_ack
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "acknowledge=never": (113, 95),
    "acknowledge=first": (172, 22),
    "acknowledge=last": (179, 0),
    "acknowledge=never,group=1": (2, 0),
    "acknowledge=never,iommu=vtd": (71, 70),
    "acknowledge=last,iommu=vtd": (260, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

DEEP = {"acknowledge=first,requests=3,iommu=vtd": 4_000}
"""Schedules for what breaks late."""


@pytest.mark.parametrize("expected", queue_ack.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(queue_ack, expected, TRACES, DEEP.get(identity(expected), 0))
