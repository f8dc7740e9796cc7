"""What small scenarios say when they fail, and what a drain costs the thread of its queue."""

from __future__ import annotations

import pytest

from actors.runtime.world import World
from drivers.smmuv3.priq_inspection import ThreadKeptOut
from scenarios.catalogue import load
from scenarios.drain.second_pasid import second_pasid
from scenarios.oracles.oracle import EventOracle
from tests.explore.searching import search, worlds
from tests.searching import exhaust
from tools.explore.search import Budget
from tools.explore.strategies.portfolio import default

MEASURED = 250
"""Schedules of the default strategy: a cost is seen in the first of them."""


@pytest.mark.parametrize(
    ("scenario", "given", "message"),
    [
        (
            "attach-fails",
            {"attach": "A1"},
            "the attach of M has failed, yet it has a valid CD 0 and is on no list: the CD stays programmed while the "
            "domain appears to be unattached",
        ),
        (
            "kernel-table-free",
            {"freed": "upper"},
            "a walk takes 0x11023 at 0x10000 for a PDE: that page was freed, and its next owner decides where the walk "
            "goes on",
        ),
    ],
)
def test_a_finding_says_what_is_left_and_what_comes_of_it(scenario: str, given: dict[str, str], message: str) -> None:
    found = exhaust(load(scenario), given).found
    assert {one.finding.message for one in found.values()} == {message}


class Meter(EventOracle):
    """No property: how many entries somebody handled while the PRI thread was kept out, in all runs of a search."""

    watches = (ThreadKeptOut,)

    def __init__(self, costs: set[int]) -> None:
        self._costs = costs

    def observe(self, event: ThreadKeptOut) -> None:
        if not event.begins:
            self._costs.add(event.entries)


@pytest.mark.parametrize(("drain", "priq", "most"), [("full", 1, 1), ("inspect", 0, 1), ("pri-off", 1, 0)])
def test_what_a_drain_costs_the_thread_in_entries(drain: str, priq: int, most: int) -> None:
    costs = {0}
    make = worlds(second_pasid, drain=drain, priq=priq, watch="held")

    def metered() -> World:
        world = make()
        world.check(Meter(costs))
        return world

    search(metered, default(0), Budget(schedules=MEASURED))
    assert max(costs) == most
