"""Stalls and the end of a stream: only behind the CMD_SYNC does STALL_TERM meet all of them."""

from __future__ import annotations

import pytest

from drivers.stall_shutdown import SHUTDOWNS
from scenarios.scenario import Expected
from scenarios.stall_term import stall_term
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "order=term-first": (64, 18),
    "order=no-sync": (44, 14),
    "order=resume-each": (9, 0),
    "order=architected": (7, 0),
    "order=architected,early=1": (14, 0),
    "order=architected,accesses=2": (436, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", stall_term.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(stall_term, expected, TRACES)


def test_every_order_is_in_the_table() -> None:
    assert {expected.params["order"] for expected in stall_term.expected} == set(SHUTDOWNS)
