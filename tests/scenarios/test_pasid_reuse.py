"""Races VTD-R12 and VTD-R13 on both IOMMUs: what a bond must hold of its address space."""

from __future__ import annotations

import pytest

from scenarios.process_end.pasid_reuse import CLOSERS, pasid_reuse
from tests.searching import exhaust


def test_every_value_is_in_the_table() -> None:
    for name, values in (("holds", pasid_reuse.params["holds"].allowed), ("closer", tuple(CLOSERS))):
        shown = {pasid_reuse.complete(expected.params)[name] for expected in pasid_reuse.expected}
        assert shown == set(values)


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"holds": "mmput", "accesses": 0, "iommu": "vtd"}, "unbind of bind1 clears the PASID entry of P1"),
        ({"holds": "no-grab", "accesses": 0, "iommu": "smmuv3"}, "freed at step"),
    ],
)
def test_the_harm_is_told_in_the_words_of_its_iommu(params: dict[str, int | str], reason: str) -> None:
    messages = [found.finding.message for found in exhaust(pasid_reuse, params).found.values()]
    assert any(reason in message for message in messages), messages
