"""How much each stated combination takes to search, on record in `counts.txt` in the order of the verdict tables.

`python -m tests.scenarios.counts` searches what has no line yet, forgets what is stated no more, and writes the file;
`python -m tests.scenarios.counts SCENARIO...` searches all combinations of those scenarios anew, which is right when
scenarios, models or the search were changed on purpose.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actors.runtime.runs.execution import Execution
from scenarios.catalogue import MODULES, load
from scenarios.scenario import Expected
from tests.explore.searching import search, worlds
from tests.searching import exhaust, identity
from tools.explore.search import Budget
from tools.explore.strategies.portfolio import default

RECORD = Path(__file__).with_name("counts.txt")
HEAD = "# schedules, failing ones and steps of the search; which schedule of the default strategy violates first\n"
EVERY_DAY = 200_000
"""Steps of what is exhausted in the daily suite: a second or two."""
TOO_MANY = 500_000
"""Steps after which a combination that is violated is hunted alone, unless that takes long, too."""
LATE = 5_000
"""Schedules after which a hunt is given up."""


class _Enough(Exception):
    """Ends a hunt."""


@dataclass(frozen=True, slots=True)
class Count:
    """What a search of a combination comes to; None for what is not on record."""

    schedules: int | None
    failing: int | None
    steps: int | None
    hunted: int | None
    """Which schedule of the default strategy is the first to break the stated property."""

    @property
    def is_long(self) -> bool:
        """Whether it takes too long for every day; so does what nobody has counted the steps of."""
        return self.schedules is not None and (self.steps is None or self.steps > EVERY_DAY)

    def __str__(self) -> str:
        found = (self.schedules, self.failing, self.steps, self.hunted)
        return " ".join(("-" if one is None else str(one)).rjust(9) for one in found)


def stated() -> Iterator[tuple[str, Expected]]:
    """Every row of every verdict table, with the name of its scenario."""
    for name in MODULES:
        yield from ((name, expected) for expected in load(name).expected)


def on_record() -> dict[tuple[str, str], Count]:
    """The counts by scenario and combination, as they stand in the file."""
    found: dict[tuple[str, str], Count] = {}
    name = ""
    for line in RECORD.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            combination, *numbers = line.split()
            assert (name, combination) not in found, f"{RECORD.name} has two lines for {name} {combination}"
            found[name, combination] = Count(*(None if one == "-" else int(one) for one in numbers))
        elif not line.startswith("#"):
            name = line
    return found


def text(counts: dict[tuple[str, str], Count]) -> str:
    """The file."""
    lines = [HEAD]
    for name in MODULES:
        rows = {combination: count for (scenario, combination), count in counts.items() if scenario == name}
        width = max(map(len, rows), default=0)
        lines += [f"{name}\n", *(f"  {combination.ljust(width)} {count}\n" for combination, count in rows.items())]
    return "".join(lines)


def counted(name: str, expected: Expected) -> Count:
    """The combination, searched."""
    violated = expected.verdict == "violated"
    report = exhaust(load(name), expected.params, expected.searched or None, TOO_MANY if violated else None)
    hunted = first(name, expected) if violated and (not report.complete or report.steps > EVERY_DAY) else None
    if violated and not report.complete:
        if hunted is not None:
            return Count(None, None, None, hunted)
        report = exhaust(load(name), expected.params)
    return Count(report.schedules, report.failing, report.steps, hunted)


def first(name: str, expected: Expected) -> int | None:
    """Which schedule of the default strategy is the first to break the stated property; None if that is late."""
    runs = 0

    def watch(execution: Execution) -> None:
        nonlocal runs
        runs += 1
        if execution.finding is not None and execution.finding.oracle == expected.oracle:
            raise _Enough

    try:
        search(worlds(load(name), **expected.params), default(0), Budget(LATE), watch=watch)
    except _Enough:
        return runs
    return None


def main(again: list[str]) -> None:
    """Search what is missing, and the scenarios that are named."""
    known = on_record()
    counts: dict[tuple[str, str], Count] = {}
    for name, expected in stated():
        key = name, identity(expected)
        if key not in known or name in again:
            print(*key, flush=True)
            known[key] = counted(name, expected)
        counts[key] = known[key]
    RECORD.write_text(text(counts), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
