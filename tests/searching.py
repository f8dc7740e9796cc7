"""Searches a scenario to its end, or up to a budget, for tests of verdicts."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from actors.runtime.controlled import controlled
from actors.runtime.world import Session
from scenarios.scenario import Expected, Scenario
from tools.explore.dpor import Dpor
from tools.explore.search import Budget, Report, explore


def exhaust(scenario: Scenario, given: Mapping[str, int | str], schedules: int | None = None) -> Report:
    """All inequivalent schedules of a combination, at most `schedules`."""
    params = scenario.complete(given)
    session = Session()

    async def main() -> Report:
        async with controlled() as driver:
            return await explore(driver, lambda: scenario.world(session, params), Dpor(), Budget(schedules=schedules))

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
