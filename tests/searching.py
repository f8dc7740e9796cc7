"""Searches a scenario to its end, or up to a budget, for tests of verdicts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from scenarios.scenario import Expected, Scenario
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Budget, FoundSignature, Report, Strategy

from .explore.searching import search as explore_worlds
from .explore.searching import worlds


def exhaust(
    scenario: Scenario, given: Mapping[str, int | str], schedules: int | None = None, steps: int | None = None
) -> Report:
    """All inequivalent schedules of a combination, at most `schedules`, until there were `steps`."""
    return search(scenario, given, Dpor(), Budget(schedules, steps))


def first_found(scenario: Scenario, given: Mapping[str, int | str]) -> FoundSignature:
    """The finding of `exhaust` that is met first, after which the search ends."""
    found = search(scenario, given, Dpor(), Budget(), stop_at_first=True).first
    assert found is not None
    return found


def search(
    scenario: Scenario,
    given: Mapping[str, int | str],
    strategy: Strategy,
    budget: Budget,
    stop_at_first: bool = False,
) -> Report:
    """Any search of a combination."""
    return explore_worlds(worlds(scenario, **given), strategy, budget, stop_at_first=stop_at_first)


def oracles_of(report: Report) -> set[str]:
    """The properties that some schedule broke."""
    return {signature[0] for signature in report.found}


def assert_agrees(expected: Expected, report: Report, also: Collection[str] = ()) -> None:
    """What the search came to is what the table says, and for the reason it gives; `also` may break besides."""
    assert not report.bounded
    assert oracles_of(report) == {*also, *([expected.oracle] if expected.oracle else [])}
    if report.complete and expected.verdict != "violated":
        assert report.witnesses, "an experiment without a witness shows nothing"
        assert (expected.verdict == "vacuous") == bool(report.vacuous)


def identity(expected: Expected) -> str:
    """The combination, as a test's name."""
    return ",".join(f"{name}={value}" for name, value in expected.params.items()) or "(defaults)"
