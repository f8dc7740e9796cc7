"""Races VTD-R17 and VTD-R18: every change of a PASID entry against hardware that fetches it in pieces, exhausted."""

from __future__ import annotations

import pytest

from drivers.pasid_entry_variants import WRITERS
from scenarios.scenario import Expected
from scenarios.torn_pasid_entry import CHANGES, torn_pasid_entry
from tests.scenarios.agreement import assert_verdict
from tests.searching import exhaust, identity

TRACES = {
    "change=clear,writer=in-place": (122, 19),
    "change=clear,writer=in-place,fetch=1": (86, 0),
    "change=clear,writer=in-place-last,fetch=1": (87, 38),
    "change=clear,writer=right": (95, 0),
    "change=clear,writer=right,fetch=8": (95, 0),
    "change=clear,writer=right,order=any": (346, 0),
    "change=process,writer=in-place": (178, 0),
    "change=process,writer=no-invalidation": (374, 23),
    "change=process,writer=right": (187, 0),
    "change=domain,writer=in-place": (174, 80),
    "change=domain,writer=in-place,fetch=1": (116, 22),
    "change=domain,writer=in-place-last": (138, 51),
    "change=domain,writer=right": (187, 0),
    "change=domain,writer=right,fetch=8": (187, 0),
    "change=domain,writer=right,order=any": (739, 68),
    "change=domain,writer=settles,order=any": (1296, 0),
    "change=clear,writer=tidies-early": (141, 10),
    "change=clear,writer=tidies-early,pasid_cache=drains": (96, 0),
    "change=process,writer=right,caching=on": (156, 11),
    "change=process,writer=forgets-absence,caching=on": (593, 0),
    "change=identity,writer=in-place": (138, 63),
    "change=identity,writer=right": (187, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", torn_pasid_entry.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(torn_pasid_entry, expected, TRACES)


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
    report = exhaust(torn_pasid_entry, params)
    assert report.first is not None
    message = report.first.finding.message
    assert message.startswith(f"hardware acts on PE[1] as {seen}; software only ever meant ")
