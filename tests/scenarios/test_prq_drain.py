"""Races VTD-R02 to VTD-R07 and VTD-R20: every step of VT-d's drain is needed, and no lock may be held around it."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.world import Session
from scenarios.prq_drain import prq_drain
from scenarios.prq_drain_verdicts import CROSS, INSIDE, LATE
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "driver=none,watch=handled": (110, 20),
    "driver=none,watch=owner": (110, 2),
    "driver=none,find=report,watch=handled": (174, 56),
    "driver=none,find=report,watch=owner": (174, 2),
    "driver=right,find=report": (341, 0),
    "driver=none,group=2,stop=A,priq=0,reuse=strict": (187, 36),
    "driver=right,group=2": (3125, 0),
    "driver=one-descriptor": (266, 0),
    "driver=one-descriptor,unbind=drain-first,pushed=root-complex,watch=owner": (301, 1),
    "driver=right,unbind=drain-first,pushed=root-complex,watch=owner": (229, 3),
    "driver=again,unbind=drain-first,pushed=root-complex": (207, 21),
    "driver=twice,unbind=drain-first,pushed=root-complex": (236, 0),
    "driver=no-overflow,group=2,stop=A,priq=0,reuse=strict": (535, 36),
    "driver=right,group=2,stop=A,priq=0,reuse=strict": (637, 0),
    "driver=lost,order=O1,watch=owner": (316, 1),
    "driver=in-release,order=O1": (209, 81),
    "driver=in-release,order=O1,release=sleeps": (633, 30),
    "driver=right,unbind=mutex-held": (126, 9),
    "driver=right,unbind=mutex-dropped": (153, 0),
    "driver=right": (261, 0),
    "driver=right,pds=ignored": (357, 144),
    "driver=right,pds=reserved": (213, 213),
    "driver=checks-iqe,pds=reserved": (357, 144),
    "driver=checks-iqe,pds=reserved,stop=A": (49, 0),
    "driver=right,pushed=root-complex": (263, 0),
    "driver=right,order=O1": (1480, 0),
    "driver=right,requests=2,credits=one,stop=A,priq=0": (1217, 0),
    "driver=right,overflow=silent,requests=2,credits=one,stop=A,priq=0": (507, 10),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

BUDGET = 300
"""Schedules for larger combinations that hold: no proof."""

HUNTED = 4_000
"""Schedules within which the default strategy finds what breaks the larger ones."""


@pytest.mark.parametrize("expected", prq_drain.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(prq_drain, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


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
    report = exhaust(prq_drain, params)
    assert report.first is not None
    assert all(reason in report.first.finding.message for reason in reasons)
