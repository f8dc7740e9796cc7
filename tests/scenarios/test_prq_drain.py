"""Races R2 to R7 and R20: every step of VT-d's drain is needed, and no lock may be held around it."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.world import Session
from drivers.prq_drain_variants import DRIVERS, UNBINDS
from scenarios.prq_drain import prq_drain
from scenarios.prq_drain_verdicts import CROSS, LATE
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_footprints, assert_verdict
from tests.searching import exhaust, hunt, identity, oracles_of

TRACES = {
    "driver=none": (53, 10),
    "driver=none,group=2,stop=A,priq=0,reuse=strict": (181, 36),
    "driver=right,group=2": (2955, 0),
    "driver=one-descriptor": (241, 0),
    "driver=one-descriptor,unbind=drain-first,pushed=root-complex": (185, 5),
    "driver=right,unbind=drain-first,pushed=root-complex": (152, 15),
    "driver=again,unbind=drain-first,pushed=root-complex": (161, 0),
    "driver=no-overflow,group=2,stop=A,priq=0,reuse=strict": (511, 36),
    "driver=right,group=2,stop=A,priq=0,reuse=strict": (613, 0),
    "driver=lost,order=O1": (236, 3),
    "driver=in-release,order=O1": (209, 81),
    "driver=in-release,order=O1,release=sleeps": (638, 30),
    "driver=right,unbind=mutex-held": (106, 9),
    "driver=right,unbind=mutex-dropped": (133, 0),
    "driver=right": (241, 0),
    "driver=right,pushed=root-complex": (243, 0),
    "driver=right,order=O1": (1644, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

HUNTED = 4_000
"""Schedules within which the default strategy finds what breaks the larger ones."""


@pytest.mark.parametrize("expected", prq_drain.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    if expected.verdict != "violated" or identity(expected) in TRACES:
        assert_verdict(prq_drain, expected, TRACES)
        return
    found = oracles_of(hunt(prq_drain, expected.params, HUNTED))
    # A fault that is handled too late is handled for nobody, or for the next owner if there is one already.
    assert found
    assert found <= ({CROSS, LATE} if expected.oracle in (CROSS, LATE) else {expected.oracle})


@pytest.mark.parametrize("expected", prq_drain.expected, ids=identity)
def test_no_step_touches_what_it_does_not_declare(expected: Expected) -> None:
    assert_footprints(prq_drain, expected)


def test_every_oracle_is_killed_and_every_variant_is_in_the_table() -> None:
    world = prq_drain.world(Session(), prq_drain.complete({"reuse": "strict"}))
    killed = {expected.oracle for expected in prq_drain.expected if expected.verdict == "violated"}
    assert killed == {oracle_name(oracle) for oracle in world.oracles} | {"no-deadlock", "MisuseError"}
    for name, values in (("driver", DRIVERS), ("unbind", UNBINDS)):
        assert {prq_drain.complete(expected.params)[name] for expected in prq_drain.expected} == set(values)


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
            {"driver": "right", "unbind": "mutex-held"},
            ("process waits since step ", " for lock pasid_mutex, held by process since step "),
        ),
    ],
)
def test_a_finding_says_who_waits_for_what(params: dict[str, int | str], reasons: tuple[str, ...]) -> None:
    report = exhaust(prq_drain, params)
    assert report.first is not None
    assert all(reason in report.first.finding.message for reason in reasons)
