"""Races SMMU-R15 and VTD-R28: the TLB before the ATC, and on SMMUv3 a SYNC between; every other order loses a page."""

from __future__ import annotations

import pytest

from scenarios.scenario import Expected
from scenarios.tlbi_vs_atc import tlbi_vs_atc
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "order=atc-first": (167, 59),
    "order=one-sync": (127, 37),
    "order=tlbi-sync-atc": (39, 0),
    "order=tlbi-sync-atc,tlb=cold": (63, 0),
    "order=atc-first,tlb=cold": (155, 47),
    "iommu=vtd,order=atc-first": (109, 40),
    "iommu=vtd,order=one-sync": (34, 0),
    "iommu=vtd,order=tlbi-sync-atc": (34, 0),
    "iommu=vtd,order=one-sync,tlb=cold": (55, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", tlbi_vs_atc.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(tlbi_vs_atc, expected, TRACES)
