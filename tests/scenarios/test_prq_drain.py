"""Races VTD-R02 to VTD-R07 and VTD-R20: every step of VT-d's drain is needed, and no lock may be held around it."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from scenarios.drain.prq_drain import prq_drain
from scenarios.drain.prq_drain_verdicts import CROSS, INSIDE, LATE
from tests.searching import exhaust, first_found


def test_without_a_drain_a_response_a_fault_or_even_a_fault_for_the_next_owner_comes_late() -> None:
    report = exhaust(prq_drain, {"driver": "none"})
    found = {signature[0]: each.count for signature, each in report.found.items()}
    assert (report.schedules, report.failing, report.complete) == (110, 68, True)
    assert found == {INSIDE: 48, LATE: 18, CROSS: 2}


def test_every_oracle_is_killed_and_every_variant_is_in_the_table() -> None:
    world = prq_drain.world(Session(), prq_drain.complete({"reuse": "strict"}))
    killed = {expected.oracle for expected in prq_drain.expected if expected.verdict == "violated"}
    assert killed == {oracle_name(oracle) for oracle in world.oracles} | {"no-deadlock", "BrokenRule"}
    for name in ("driver", "unbind", "stop", "pds", "overflow", "sms", "watch"):
        used = {prq_drain.complete(expected.params)[name] for expected in prq_drain.expected}
        assert used == set(prq_drain.params[name].allowed)


@pytest.mark.parametrize(
    ("params", "reasons"),
    [
        (
            {"driver": "in-release", "order": "O1"},
            ("may sleep in `flush iopf workqueue` while it holds spin lock mmu_notifier SRCU",),
        ),
        (
            {"driver": "in-release", "order": "O1", "release": "sleeps"},
            ("fault_worker waits since step ", " for works of iopf workqueue queued before the flush"),
        ),
        (
            {"driver": "right", "pds": "reserved"},
            ("process waits since step ", " for the wait descriptor completes"),
        ),
        (
            {"driver": "right", "unbind": "mutex-held"},
            ("process waits since step ", " for lock pasid_mutex, held by process since step "),
        ),
    ],
)
def test_a_finding_says_who_waits_for_what(params: dict[str, int | str], reasons: tuple[str, ...]) -> None:
    first = first_found(prq_drain, params)
    assert all(reason in first.finding.message for reason in reasons)
