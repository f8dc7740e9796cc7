"""Races VTD-R21 and VTD-R23: who waits for a device that is gone, and who waits with him."""

from __future__ import annotations

import pytest

from actors.runtime.schedule import RandomWalk
from scenarios.device_gone import device_gone
from scenarios.scenario import Expected
from tests.running import of, runs, transcript
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "driver=retries": (99, 96),
    "driver=looks-before": (100, 96),
    "driver=looks-again": (16, 0),
    "driver=aborts-fetched": (16, 2),
    "driver=looks-again,loss=reset": (32, 24),
    "driver=blocks-ats,loss=reset": (6, 0),
    "driver=gate-alone,loss=reset,accesses=1": (296, 11),
    "driver=gate-alone,loss=reset": (3, 0),
    "driver=blocks-ats": (16, 0),
    "driver=looks-again,accesses=1": (194, 13),
    "driver=looks-again,others=1": (1309, 0),
    "driver=blocks-ats,loss=reset,others=1": (43, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""
DEEP = {"driver=restores-first,loss=reset,accesses=1": 13_024}
"""Schedules for what breaks late."""


@pytest.mark.parametrize("expected", device_gone.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(device_gone, expected, TRACES, DEEP.get(identity(expected), 0))


def test_nothing_is_fetched_while_ite_stands() -> None:
    """vtd-pcie §2.4: hardware stops fetching, wherever it had been in the queue, until software clears the bit."""
    left = 0
    for execution in runs(of(device_gone, {"driver": "looks-again", "others": 1}), 100, RandomWalk(3), audit=True):
        assert execution.finding is None
        did = [what for _, what, _, _ in transcript(execution)]
        for at, what in enumerate(did):
            if what.endswith(" times out"):
                cleared = at + next(place for place, each in enumerate(did[at:]) if each == "rmw clear ITE")
                assert not [each for each in did[at:cleared] if each.startswith("fetch ")]
                left += any(each.startswith("fetch ") for each in did[cleared:])
    assert left == 4, "runs in which something was there to be fetched"
