"""The first level of a CD table: what an SMMU may have cached of it, and which CFGI drops that."""

from __future__ import annotations

import pytest

from drivers.smmuv3.attach.cd_leaf import TABLES
from scenarios.entries.cd_leaf import cd_leaf
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import exhaust, identity

TRACES = {
    "cfgi=leaf-0": (72, 0),
    "cfgi=leaf-1": (72, 2),
    "cfgi=none": (48, 2),
    "cfgi=leaf-1,leaf=present": (46, 0),
    "cfgi=leaf-1,prefetches=0": (1, 0),
    "cfgi=leaf-0,prefetches=2": (4124, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", cd_leaf.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(cd_leaf, expected, TRACES)


def test_every_variant_is_in_the_table_and_the_message_says_why() -> None:
    assert {expected.params["cfgi"] for expected in cd_leaf.expected} == set(TABLES)
    found = exhaust(cd_leaf, {"cfgi": "leaf-1"}).first
    assert found is not None
    assert found.finding.message == (
        "stream 0 uses a PASID that is bound, and the SMMU refuses it (C_BAD_SUBSTREAMID): "
        "it still goes by what was there before"
    )
