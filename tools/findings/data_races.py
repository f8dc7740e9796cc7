"""What is said of data races, beside findings: two accesses in C that can be made at the same time."""

from __future__ import annotations

from actors.runtime.runs.schedule import Recipe

from ..experiments.terms import Terms
from ..explore.search import FoundRace, Report
from ..show.rows import wrap

_AS = {"default": "as KCSAN tells them by default", "strict": "strictly"}


def data_races(report: Report, mode: str) -> list[str]:
    """The data races that a search met, a paragraph each; nothing if it did not look for any."""
    if not report.looks_for_races:
        return []
    found = _in_order(report)
    lines = [f"Data races ({_AS[mode]}): {len(found) or 'none'}{' seen' if not report.complete else ''}."]
    return lines + [line for item in found for line in wrap(f"  {item.race.said}", "    ")]


def race_documents(report: Report, terms: Terms) -> list[dict[str, object]] | None:
    """The same for programs, each with a token of a run that shows it."""
    if not report.looks_for_races:
        return None
    return [
        {
            "what": item.race.name,
            "accesses": [item.race.first.said, item.race.second.said],
            "token": Recipe(scenario=terms.scenario, params=terms.params, schedule=item.schedule).token(),
        }
        for item in _in_order(report)
    ]


def _in_order(report: Report) -> list[FoundRace]:
    return [item for _, item in sorted(report.races.items())]
