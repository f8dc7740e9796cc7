"""Races VTD-R21 and VTD-R23: who waits for a device that is gone, and who waits with him."""

from __future__ import annotations

from actors.runtime.runs.scheduler import RandomWalk
from scenarios.reset.device_gone import device_gone
from tests.running import of, runs, transcript


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
