"""ATS while a master changes domains: who may ask when, and whose invalidations reach the endpoint."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.primitives.session import Session
from drivers.smmuv3.attach.ats import ORDERS
from scenarios.entries.attach_ats import attach_ats
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import exhaust, identity

TRACES = {
    "ats=on-on": (922, 0),
    "ats=off-on": (140, 0),
    "ats=on-off": (1642, 0),
    "order=no-flush,unmap=off": (2, 1),
    "order=leave-first": (156, 2),
    "order=leave-first,unmap=off": (7, 0),
    "order=too-soon,ats=off-on": (205, 36),
    "order=too-soon,ats=on-off": (1100, 12),
    "ats=on-off,off=ignores": (831, 831),
    "order=unlist-first,ats=on-off,off=ignores": (225, 1),
    "order=under-lock,ats=on-off,off=ignores": (224, 0),
    "order=under-lock": (922, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", attach_ats.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(attach_ats, expected, TRACES)


def test_every_order_is_in_the_table_and_every_oracle_is_killed() -> None:
    assert {expected.params.get("order", "7.1") for expected in attach_ats.expected} == set(ORDERS)
    world = attach_ats.world(Session(), attach_ats.complete({}))
    killed = {expected.oracle for expected in attach_ats.expected if expected.oracle}
    assert killed == {oracle_name(oracle) for oracle in world.oracles}


def test_a_freed_page_is_reached_through_the_cache_that_nobody_emptied() -> None:
    found = exhaust(attach_ats, {"order": "leave-first"}).first
    assert found is not None
    assert found.finding.message.startswith("a write for mm A lands in 0x")
    assert found.finding.message.endswith("which is free: memory corruption")
