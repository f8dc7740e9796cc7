"""Seed 002: flags, callbacks, bits and zero, each with what it comes to."""

from __future__ import annotations

import pytest

from scenarios.drain.unbind_flags import unbind_flags
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "flags=1,callback=none": (73, 0),
    "flags=2,callback=none,stop=A": (10, 0),
    "flags=3,callback=none,stop=A": (10, 0),
    "flags=3,callback=none,stop=A,core=one-of": (10, 10),
    "flags=3,callback=none": (1_050, 160),
    "flags=0,callback=right": (73, 0),
    "flags=0,callback=right,stop=A": (10, 0),
    "flags=0,callback=none": (73, 0),
    "flags=0,callback=zero": (133, 0),
    "flags=0,callback=right,trigger=exit": (242, 0),
    "flags=0,callback=right,iommu=vtd": (67, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""
BUDGET, HUNTED = 300, 3_000
SLOW = {
    "flags=0,callback=zero,trigger=exit,core=zero-is-clean",
    "flags=0,callback=zero,core=zero-is-clean,iommu=vtd",
}
"""Those that a hunt finds in ten seconds; the first of their kind is found every day."""
ROWS = [
    pytest.param(row, id=identity(row), marks=[pytest.mark.long] if identity(row) in SLOW else [])
    for row in unbind_flags.expected
]


@pytest.mark.parametrize("expected", ROWS)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(unbind_flags, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


def test_every_value_is_in_the_table() -> None:
    for name, param in unbind_flags.params.items():
        assert {unbind_flags.complete(row.params)[name] for row in unbind_flags.expected} == set(param.allowed)


@pytest.mark.long
def test_a_device_that_its_callback_cannot_stop_keeps_its_pasid_when_the_process_dies() -> None:
    report = exhaust(unbind_flags, {"callback": "zero", "trigger": "exit"})
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (7_733, 0, True, [])
