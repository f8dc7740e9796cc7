"""Seed 004: the failure path of attach_dev."""

from __future__ import annotations

import pytest

from scenarios.entries.attach_fails import attach_fails
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {"attach=A1": (5, 2), "attach=A2": (3, 0), "attach=A2-no-list-del": (3, 3)}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", attach_fails.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(attach_fails, expected, TRACES[identity(expected)], budget=0)


def test_the_finding_says_what_is_left() -> None:
    found = exhaust(attach_fails, {"attach": "A1"}).found
    assert {one.finding.message for one in found.values()} == {
        "the attach of M has failed, yet it has a valid CD 0 and is on no list: the CD stays programmed while the "
        "domain appears to be unattached"
    }
