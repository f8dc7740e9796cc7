"""Races VTD-R29 and VTD-R30: a notifier that forgets less than mm takes away."""

from __future__ import annotations

import pytest

from scenarios.notifier_range import notifier_range
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "iommu=smmuv3,notifier=exact,told=everything": (63, 0),
    "iommu=smmuv3,notifier=exact,told=pages": (63, 0),
    "iommu=smmuv3,notifier=size-overflows,told=everything": (77, 18),
    "iommu=smmuv3,notifier=size-overflows,told=pages": (63, 0),
    "iommu=smmuv3,notifier=start-advances,told=pages": (3, 1),
    "iommu=smmuv3,notifier=start-advances,told=everything": (63, 0),
    "iommu=vtd,notifier=exact,told=everything": (55, 0),
    "iommu=vtd,notifier=exact,told=pages": (55, 0),
    "iommu=vtd,notifier=size-overflows,told=everything": (60, 13),
    "iommu=vtd,notifier=size-overflows,told=pages": (55, 0),
    "iommu=vtd,notifier=start-advances,told=pages": (3, 1),
    "iommu=vtd,notifier=start-advances,told=everything": (55, 0),
    "iommu=smmuv3,notifier=exact,told=pages,pages=2": (968, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", notifier_range.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(notifier_range, expected, TRACES)
