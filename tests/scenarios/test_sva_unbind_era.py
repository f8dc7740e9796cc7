"""What an unbind leaves behind, era by era."""

from __future__ import annotations

import pytest

from scenarios.process_end.sva_unbind_era import sva_unbind_era
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import exhaust, identity

TRACES = {
    "era=2020": (398, 32),
    "era=2020,early=0,left=strict": (26, 0),
    "era=2020-flag": (556, 32),
    "era=2020-flag,early=0": (46, 0),
    "era=5.14": (556, 32),
    "era=5.14,early=0": (46, 0),
    "era=5.18": (120, 0),
    "era=5.18,left=strict": (120, 39),
    "era=6.11": (221, 9),
    "era=6.11,early=0": (23, 0),
    "era=7.1": (327, 65),
    "era=7.1,touch=0": (80, 16),
    "era=7.1,left=strict": (327, 113),
    "era=7.1,early=0,left=strict": (15, 0),
    "era=7.1-keep": (315, 21),
    "era=7.1-keep,touch=0": (80, 0),
    "era=7.1-flush": (289, 57),
    "era=7.1-drain,left=strict": (47, 0),
    "era=5.14,trigger=other,accesses=0,touch=0": (15, 7),
    "era=5.18,trigger=other,accesses=0,touch=0": (15, 5),
    "era=6.11,trigger=other,accesses=0,touch=0": (215, 0),
    "era=7.1,trigger=other,accesses=0,touch=0": (215, 0),
    "era=7.1,trigger=other,accesses=0,touch=0,left=strict": (215, 95),
    "era=7.1-leave-first,trigger=other,accesses=0,touch=0,left=strict": (75, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""

DEEP = {"era=5.18,trigger=exit": 1_347, "era=7.1,trigger=exit": 1_844, "era=7.1-drain,trigger=exit,left=strict": 650}
"""Schedules for what breaks late."""


@pytest.mark.parametrize("expected", sva_unbind_era.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(sva_unbind_era, expected, TRACES, DEEP.get(identity(expected), 0))


def test_in_the_newest_era_a_freed_group_is_answered_and_a_freed_handle_followed() -> None:
    found = exhaust(sva_unbind_era, {"era": "7.1"}).found
    assert set(found) == {("no-use-after-free", "iopf_group #0"), ("no-use-after-free", "attach handle of bind1")}


def test_without_early_retry_stopping_the_device_ends_every_stall_in_every_era() -> None:
    for era in sva_unbind_era.params["era"].allowed:
        if era == "7.1-late-list":
            continue  # it breaks whatever the device does
        report = exhaust(sva_unbind_era, {"era": str(era), "early": 0})
        assert report.complete
        assert not report.found
        assert not report.vacuous


def test_every_era_is_in_the_table() -> None:
    assert {expected.params["era"] for expected in sva_unbind_era.expected} == set(sva_unbind_era.params["era"].allowed)
