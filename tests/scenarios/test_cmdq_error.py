"""Race SMMU-R13: what each reaction to an ATC_INV without an answer is worth."""

from __future__ import annotations

import pytest

from drivers.quarantine import REACTIONS
from scenarios.cmdq_error import cmdq_error
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "reaction=unacknowledged": (235, 26),
    "reaction=ignored": (255, 6),
    "reaction=late-note": (384, 12),
    "reaction=quarantine,atschk=0": (249, 7),
    "reaction=quarantine": (292, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", cmdq_error.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(cmdq_error, expected, TRACES)


def test_every_reaction_is_in_the_table() -> None:
    assert {expected.params["reaction"] for expected in cmdq_error.expected} == set(REACTIONS)
