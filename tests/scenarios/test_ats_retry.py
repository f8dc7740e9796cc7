"""Seed 001, the retry loop: the right device survives every order, each broken one is caught for its own reason."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.world import Session
from scenarios.ats_retry import DEVICES, ats_retry
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "device=right": (344, 0),
    "device=right,gone=0": (1, 0),
    "device=trusts": (28, 26),
    "device=trusts,gone=0": (1, 0),
    "device=gives-up": (141, 139),
    "device=right,change=exit": (2122, 0),
    "device=insists,change=exit": (3142, 1038),
    "notifier=no-wait": (1348, 2),
    "device=answers-early": (350, 4),
    "device=caches-late": (306, 8),
}
BUDGET = 400
"""Schedules for the others: enough to find what breaks them, and no proof."""


@pytest.mark.parametrize("expected", ats_retry.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(ats_retry, expected, TRACES.get(identity(expected)), budget=BUDGET)


def test_every_oracle_is_killed_and_every_device_is_in_the_table() -> None:
    oracles = {oracle_name(oracle) for oracle in ats_retry.world(Session(), ats_retry.complete({})).oracles}
    assert {expected.oracle for expected in ats_retry.expected if expected.verdict == "violated"} == oracles
    assert {expected.params.get("device", "right") for expected in ats_retry.expected} == set(DEVICES)


def test_a_page_that_is_gone_again_is_told_in_the_words_of_seed_001() -> None:
    report = exhaust(ats_retry, {"device": "trusts"})
    assert report.first is not None
    assert report.first.finding.message == (
        "the device takes 1 accesses for done and 0 are in memory: the rest was dropped on the way, and nobody told it"
    )
