"""Race SMMU-R09: a Stop Marker gets no response."""

from __future__ import annotations

import pytest

from scenarios.scenario import Expected
from scenarios.stop_marker_answered import stop_marker_answered
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "marker=answer": (72, 72),
    "marker=drop": (36, 0),
    "marker=answer,stop=A": (9, 0),
    "marker=answer,iommu=vtd": (66, 66),
    "marker=drop,iommu=vtd": (51, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", stop_marker_answered.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(stop_marker_answered, expected, TRACES)
