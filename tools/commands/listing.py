"""`stopmarker list`: the shipped scenarios, or one with its parameters and the verdicts that are expected of it."""

from __future__ import annotations

from collections.abc import Mapping

from actors.runtime.runs.schedule import ParamValue
from scenarios import catalogue
from scenarios.parameters import Param
from scenarios.scenario import Expected, Scenario
from tools.experiments.experiment import find_scenario
from tools.terminal.exits import Exit
from tools.terminal.output import Output


def main(out: Output, *, scenario: str | None) -> Exit:
    """List; NOTHING_SELECTED if there is nothing to list."""
    if scenario is not None:
        one = find_scenario(scenario)[1]
        out.lines(_told(one))
        out.document("scenario", _document(one))
        return Exit.NOTHING_VIOLATED
    shipped = [catalogue.load(name) for name in catalogue.MODULES]
    out.document("scenarios", {"scenarios": [_document(one) for one in shipped]})
    width = max((len(one.name) for one in shipped), default=0)
    for one in shipped:
        source = f"  [{one.source}]" if one.source else ""
        out.lines([f"{one.name.ljust(width)}  {one.summary}{source}"])
    return Exit.NOTHING_VIOLATED if shipped else Exit.NOTHING_SELECTED


def _told(one: Scenario) -> list[str]:
    lines = [f"{one.name}: {one.summary}"]
    if one.source:
        lines.append(f"Source: {one.source}")
    lines += ["", "Parameters (-p name=value):"] if one.params else ["", "It has no parameters."]
    width = max((len(name) for name in one.params), default=0)
    for name, param in one.params.items():
        lines.append(f"  {name.ljust(width)}  {param.meaning}")
        lines.append(f"  {' ' * width}  default {param.default}; allowed: {param.described}")
    if one.expected:
        lines += ["", "Expected verdicts (parameters not named have their defaults):"]
        rows = [(_given(item.params), item.verdict, item.details, _why(item)) for item in one.expected]
        wide = [max(len(row[column]) for row in rows) for column in range(3)]
        for given, verdict, details, why in rows:
            cells = [given.ljust(wide[0]), verdict.ljust(wide[1]), details.ljust(wide[2])]
            lines.append(f"  {'  '.join(cells).rstrip()}")
            if why:
                lines.append(f"      {why}")
    return lines


def _why(item: Expected) -> str:
    left = f"a log shows {', '.join(item.leaves)}" if item.leaves else ""
    return "; ".join(filter(None, (item.why, left)))


def _given(params: Mapping[str, ParamValue]) -> str:
    return ", ".join(f"{name}={value}" for name, value in params.items()) or "(defaults)"


def _document(one: Scenario) -> dict[str, object]:
    return {
        "name": one.name,
        "summary": one.summary,
        "source": one.source,
        "params": [
            {"name": name, "default": param.default, **_allowed(param), "meaning": param.meaning}
            for name, param in one.params.items()
        ],
        "expected": [_expectation(item) for item in one.expected],
    }


def _allowed(param: Param[ParamValue]) -> dict[str, object]:
    """The allowed values; of numbers the lowest and the highest, since there may be billions between."""
    if isinstance(param.allowed, range):
        return {"lowest": param.allowed[0], "highest": param.allowed[-1]}
    return {"allowed": list(param.allowed)}


def _expectation(item: Expected) -> dict[str, object]:
    return {
        "params": dict(item.params),
        "verdict": item.verdict,
        "oracle": item.oracle,
        "searched": item.searched,
        "leaves": list(item.leaves),
        "why": item.why,
    }
