"""Searches a scenario to its end, or up to a budget, for tests of verdicts."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.scenario import Expected, Scenario
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Budget, Report, Strategy
from tools.explore.strategies.portfolio import default

from .explore.searching import search as explore_worlds
from .explore.searching import worlds


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
    budget = Budget(schedules=schedules)
    return explore_worlds(worlds(scenario, **given), strategy, budget, stop_at_first=stop_at_first)


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


def assert_table(
    scenario: Scenario, expected: Expected, exact: tuple[int, int] | None, *, budget: int, hunted: int | None = None
) -> None:
    """A combination comes to what its table says; with exact numbers it is exhausted.

    Without, what holds is searched up to `budget` schedules, and so is what breaks, unless it is `hunted` for.
    """
    if exact or expected.verdict != "violated" or hunted is None:
        report = exhaust(scenario, expected.params, None if exact else budget)
    else:
        report = hunt(scenario, expected.params, hunted)
    assert_agrees(expected, report)
    if exact:
        assert report.complete
        assert (report.schedules, report.failing) == exact


def identity(expected: Expected) -> str:
    """The combination, as a test's name."""
    return ",".join(f"{name}={value}" for name, value in expected.params.items())
