"""Race SMMU-R49: a discarded request leaves the list, and the memory is given back once."""

from __future__ import annotations

import pytest

from scenarios.discard_partial import discard_partial
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "discard=no-unlink": (179, 88),
    "discard=no-free": (179, 63),
    "discard=unlink": (179, 0),
    "discard=no-unlink,group=1": (2, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", discard_partial.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(discard_partial, expected, TRACES)
