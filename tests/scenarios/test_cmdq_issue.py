"""The command queue without a lock: the protocol holds, and each step of it that is left out is found."""

from __future__ import annotations

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from drivers.smmuv3.cmdq_variants import ISSUE
from scenarios.queues.cmdq_issue import cmdq_issue


def test_every_variant_is_in_the_table_and_every_oracle_is_killed() -> None:
    assert {expected.params["issue"] for expected in cmdq_issue.expected} == set(ISSUE)
    oracles = {oracle_name(oracle) for oracle in cmdq_issue.world(Session(), cmdq_issue.complete({})).oracles}
    killed = {expected.oracle for expected in cmdq_issue.expected if expected.verdict == "violated"}
    assert killed == oracles | {"no-deadlock"}
