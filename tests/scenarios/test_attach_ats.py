"""ATS while a master changes domains: who may ask when, and whose invalidations reach the endpoint."""

from __future__ import annotations

from actors.runtime.primitives.events import oracle_name
from actors.runtime.primitives.session import Session
from drivers.smmuv3.attach.ats import ORDERS
from scenarios.entries.attach_ats import attach_ats
from tests.searching import first_found


def test_every_order_is_in_the_table_and_every_oracle_is_killed() -> None:
    assert {expected.params.get("order", "7.1") for expected in attach_ats.expected} == set(ORDERS)
    world = attach_ats.world(Session(), attach_ats.complete({}))
    killed = {expected.oracle for expected in attach_ats.expected if expected.oracle}
    assert killed == {oracle_name(oracle) for oracle in world.oracles}


def test_a_freed_page_is_reached_through_the_cache_that_nobody_emptied() -> None:
    found = first_found(attach_ats, {"order": "leave-first"})
    assert found.finding.message.startswith("a write for mm A lands in 0x")
    assert found.finding.message.endswith("which is free: memory corruption")
