"""Races VTD-R17 and VTD-R18: every change of a PASID entry against hardware that fetches it in pieces, exhausted."""

from __future__ import annotations

import pytest

from drivers.vtd.pasid_table_variants import WRITERS
from scenarios.entries.torn_pasid_entry import CHANGES, torn_pasid_entry
from tests.searching import first_found


def test_every_writer_and_every_change_is_in_the_table() -> None:
    assert {expected.params["writer"] for expected in torn_pasid_entry.expected} == set(WRITERS)
    assert {expected.params["change"] for expected in torn_pasid_entry.expected} == set(CHANGES)


@pytest.mark.parametrize(
    ("params", "seen"),
    [
        ({"change": "clear"}, "`PGTT=0x1 DID=0x1`"),
        ({"change": "domain"}, "`PGTT=0x1 DID=0x1 NXE=0x1 FLPTPTR=0xa`"),
    ],
)
def test_what_hardware_saw_is_said_in_fields(params: dict[str, int | str], seen: str) -> None:
    first = first_found(torn_pasid_entry, params)
    message = first.finding.message
    assert message.startswith(f"hardware acts on PE[1] as {seen}; software only ever meant ")
