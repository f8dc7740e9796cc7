"""The scenarios in C come to what their tables say, with exact numbers; and the fault queue to what its model says."""

from __future__ import annotations

import pytest

from scenarios.c.fault_queue_model import fault_queue_model
from scenarios.catalogue import load
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

from .racing import needs_c

TRACES = {
    "c-fault-queue": {"remove=at-once": (5, 2), "remove=drained": (3, 0)},
    "c-reference": {"put=two-steps": (6, 4), "put=atomic": (6, 0)},
    "c-stack-completion": {"wait=looks": (32, 16), "wait=properly": (4, 0)},
    "c-sequence-count": {"count=none": (4, 2), "count=kept": (25, 0)},
}
"""Inequivalent schedules of a combination, and how many of them fail."""
COMBINATIONS = [(name, expected) for name in sorted(TRACES) for expected in load(name).expected]


@needs_c
@pytest.mark.parametrize(
    ("name", "expected"), COMBINATIONS, ids=[f"{name},{identity(row)}" for name, row in COMBINATIONS]
)
def test_a_combination_in_c_comes_to_what_its_table_says(name: str, expected: Expected) -> None:
    assert_verdict(load(name), expected, TRACES[name])


@pytest.mark.parametrize("expected", fault_queue_model.expected, ids=identity)
def test_the_model_of_the_fault_queue_comes_to_the_same(expected: Expected) -> None:
    assert_verdict(fault_queue_model, expected, {"remove=at-once": (4, 1), "remove=drained": (3, 0)})
