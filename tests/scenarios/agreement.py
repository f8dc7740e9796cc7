"""What the tests of small scenarios have in common: verdict, exact number of schedules, audit."""

from __future__ import annotations

from collections.abc import Mapping

from scenarios.scenario import Expected, Scenario
from tests.searching import exhaust, identity, oracles_of

BUDGET = 300
"""Schedules for combinations without an exact number: enough to find what breaks them, and no proof."""

Exact = Mapping[str, tuple[int, int]]
"""Inequivalent schedules of a combination, and how many of them fail."""


def assert_verdict(scenario: Scenario, expected: Expected, exact: Exact, deep: int = 0) -> None:
    """The named property breaks, or nothing does; a combination with an exact number is exhausted.

    `deep` is a larger budget, for what breaks late.
    """
    numbers = exact.get(identity(expected))
    report = exhaust(scenario, expected.params, None if numbers else deep or BUDGET)
    assert not report.bounded
    if expected.verdict == "violated":
        assert expected.oracle in oracles_of(report)
    else:
        assert not report.found
    if numbers:
        assert report.complete
        assert (report.schedules, report.failing) == numbers
        assert report.witnesses, "an experiment without a witness shows nothing"
        if expected.verdict != "violated":
            assert (expected.verdict == "vacuous") == bool(report.vacuous)
