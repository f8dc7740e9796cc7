"""Seed 000, the prices: PRI off for the whole function, and a queue that is inspected while its thread waits."""

from __future__ import annotations

from typing import ClassVar

import pytest

from drivers.smmuv3.priq_inspection import ThreadKeptOut
from scenarios.drain.second_pasid import second_pasid
from scenarios.scenario import Expected
from tests.explore.searching import search, worlds
from tests.searching import assert_table, exhaust, identity
from tools.explore.search import Budget
from tools.explore.strategies.portfolio import default

BUDGET, HUNTED, MEASURED = 100, 3_000, 250


ROWS = [
    pytest.param(row, id=identity(row), marks=[pytest.mark.long] if row.params.get("priq") == 0 else [])
    for row in second_pasid.expected
]
"""An overflow behind a drain takes the hunt ten seconds."""


@pytest.mark.parametrize("expected", ROWS)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(second_pasid, expected, None, budget=BUDGET, hunted=HUNTED)


@pytest.mark.long
def test_looking_is_as_safe_as_taking() -> None:
    report = exhaust(second_pasid, {"drain": "inspect", "second": 0})
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (586, 0, True, [])


@pytest.mark.long
@pytest.mark.parametrize(
    "given",
    [
        {"drain": "pri-off-on"},
        {"drain": "full", "watch": "held"},
        {"drain": "inspect", "priq": 2, "watch": "overflow"},
    ],
)
def test_what_is_not_proved_to_the_end_has_no_violation_for_long(given: dict[str, int | str]) -> None:
    report = exhaust(second_pasid, given, 4_000)
    assert (report.schedules, report.failing, report.complete) == (4_000, 0, False)


class Meter:
    """Not a property: what keeping the PRI thread out costs, in entries, for all runs of a search."""

    watches: ClassVar[tuple[type, ...]] = (ThreadKeptOut,)

    def __init__(self, costs: set[int]) -> None:
        self._costs = costs

    def observe(self, event: ThreadKeptOut) -> None:
        if not event.begins:
            self._costs.add(event.entries)

    def at_quiescence(self) -> None: ...


@pytest.mark.parametrize(("drain", "priq", "most"), [("full", 1, 2), ("inspect", 0, 1), ("pri-off", 1, 0)])
def test_what_a_drain_costs_the_thread_in_entries(drain: str, priq: int, most: int) -> None:
    costs = {0}
    make = worlds(second_pasid, drain=drain, priq=priq, watch="held")

    def metered() -> object:
        world = make()
        world.check(Meter(costs))
        return world

    search(metered, default(0), Budget(schedules=MEASURED))  # type: ignore[arg-type]
    assert max(costs) == most
