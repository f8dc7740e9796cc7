"""The command queue without a lock: the protocol holds, and each step of it that is left out is found."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from drivers.smmuv3.cmdq_variants import ISSUE
from scenarios.queues.cmdq_issue import cmdq_issue
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity, oracles_of, search
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.surw import Surw

TRACES = {
    "issue=lock-free": (412, 0),
    "issue=lock-free,batches=1,synced=2,entries=1": (532, 0),
    "issue=lock-free-poll,batches=1,synced=2": (1220, 0),
    "issue=lock-free-poll,batches=1,synced=2,entries=1": (498, 0),
    "issue=publish-early,batches=1,synced=2": (324, 60),
    "issue=hand-over-first,batches=1,synced=2": (256, 40),
    "issue=keep-polarity": (508, 23),
    "issue=no-lock,batches=1,synced=2,entries=1": (474, 106),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

DEEP = {"issue=forget-waiters,synced=2,entries=1": 1_633}
"""Schedules for what breaks late."""

LATE = {"late-lock": 184}
"""What breaks too late for DPOR: after how many schedules SURW finds it."""


@pytest.mark.parametrize("expected", cmdq_issue.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    late = LATE.get(str(expected.params["issue"]))
    if late is None:
        assert_verdict(cmdq_issue, expected, TRACES, DEEP.get(identity(expected), 0))
        return
    report = search(cmdq_issue, expected.params, Endless(Surw(0)), 1_000, stop_at_first=True)
    assert oracles_of(report) == {expected.oracle}
    assert report.schedules == late


def test_every_variant_is_in_the_table_and_every_oracle_is_killed() -> None:
    assert {expected.params["issue"] for expected in cmdq_issue.expected} == set(ISSUE)
    oracles = {oracle_name(oracle) for oracle in cmdq_issue.world(Session(), cmdq_issue.complete({})).oracles}
    killed = {expected.oracle for expected in cmdq_issue.expected if expected.verdict == "violated"}
    assert killed == oracles | {"no-deadlock"}
