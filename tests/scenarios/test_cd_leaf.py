"""The first level of a CD table: what an SMMU may have cached of it, and which CFGI drops that."""

from __future__ import annotations

from drivers.smmuv3.attach.cd_leaf import TABLES
from scenarios.entries.cd_leaf import cd_leaf
from tests.searching import first_found


def test_every_variant_is_in_the_table_and_the_message_says_why() -> None:
    assert {expected.params["cfgi"] for expected in cd_leaf.expected} == set(TABLES)
    found = first_found(cd_leaf, {"cfgi": "leaf-1"})
    assert found.finding.message == (
        "stream 0 uses a PASID that is bound, and the SMMU refuses it (C_BAD_SUBSTREAMID): "
        "it still goes by what was there before"
    )
