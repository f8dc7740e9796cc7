"""Race VTD-R33: Disable WQ leaves a translation behind, Drain WQ does not."""

from __future__ import annotations

import pytest

from scenarios.scenario import Expected
from scenarios.wq_disable import wq_disable
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {"stop=disable": (170, 3), "stop=drain-reset": (1, 0)}
"""Inequivalent schedules of a combination, and how many of them fail. A drain leaves nothing to race with."""


@pytest.mark.parametrize("expected", wq_disable.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(wq_disable, expected, TRACES)
