"""Searches a scenario to its end, or up to a budget, for tests of verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import trio

from actors.runtime.controlled import controlled
from actors.runtime.world import Session
from scenarios.scenario import Expected, Scenario
from tools.explore.dpor import Dpor
from tools.explore.portfolio import default
from tools.explore.search import Budget, Report, Strategy, explore


def exhaust(scenario: Scenario, given: Mapping[str, int | str], schedules: int | None = None) -> Report:
    """All inequivalent schedules of a combination, at most `schedules`."""
    return search(scenario, given, Dpor(), schedules)


def hunt(scenario: Scenario, given: Mapping[str, int | str], schedules: int) -> Report:
    """What `fuzz` does: the default strategy up to the first finding."""
    return search(scenario, given, default(0), schedules, stop_at_first=True)


def search(
    scenario: Scenario,
    given: Mapping[str, int | str],
    strategy: Strategy,
    schedules: int | None,
    stop_at_first: bool = False,
) -> Report:
    """Any search of a combination."""
    params = scenario.complete(given)
    session = Session()

    async def main() -> Report:
        async with controlled() as driver:
            budget = Budget(schedules=schedules)
            make = partial(scenario.world, session, params)
            return await explore(driver, make, strategy, budget, stop_at_first=stop_at_first)

    return trio.run(main)


def oracles_of(report: Report) -> set[str]:
    """The properties that some schedule broke."""
    return {signature[0] for signature in report.found}


def assert_agrees(expected: Expected, report: Report) -> None:
    """What the search came to is what the table says, and for the reason it gives."""
    if expected.verdict == "violated":
        assert oracles_of(report) == {expected.oracle}
        return
    assert not report.found
    assert not report.bounded
    if report.complete:
        assert report.witnesses, "an experiment without a witness shows nothing"
        assert (expected.verdict == "vacuous") == bool(report.vacuous)


def identity(expected: Expected) -> str:
    """The combination, as a test's name."""
    return ",".join(f"{name}={value}" for name, value in expected.params.items())
