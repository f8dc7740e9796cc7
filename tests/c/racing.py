"""Races of C sources that stand in a test: compiled, searched to the end, and every schedule by brute force."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from actors.c.compiler import why_not
from actors.c.module import CModule, Code
from actors.runtime.world import World
from scenarios.scenario import Scenario, scenario
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Report, Strategy
from tools.explore.strategies.bounded import Bounded, nothing

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
Fill = Callable[[World, Code], None]


needs_c = pytest.mark.skipif(bool(why_not()), reason=why_not() or "C can be compiled")


def module(
    folder: Path, source: str, *, name: str = "race.c", flags: Sequence[str] = (), compiler: str = ""
) -> CModule:
    """The module of one source."""
    file = folder / name
    file.write_text(source, encoding="utf-8")
    return CModule([file], flags=flags, compiler=compiler or None)


def race(code: CModule, *threads: str | tuple[str, *tuple[int, ...]], fill: Fill | None = None) -> Scenario:
    """A world of these threads; at the end `broken()`, if the C has it, must return 0."""

    @scenario(name="race")
    def built(world: World) -> None:
        """Some C."""
        loaded = code.load(world)
        if loaded.has("setup"):
            loaded.call("setup")
        for number, thread in enumerate(threads):
            name, *arguments = (thread,) if isinstance(thread, str) else thread
            world.add_actor(f"{name}{number}", loaded.thread(name, *arguments))
        if loaded.has("broken"):
            world.eventually("nothing is broken", lambda: "broken" if loaded.call("broken") else None)
        if fill is not None:
            fill(world, loaded)

    return built


def proved(subject: Scenario, strategy: Strategy | None = None) -> Report:
    """All inequivalent schedules."""
    report = search(worlds(subject), strategy or Dpor())
    assert report.complete
    return report


def every_schedule(subject: Scenario) -> Report:
    """All schedules, equivalent or not."""
    return proved(subject, Bounded(nothing))


def found(report: Report) -> dict[str, str]:
    """What was found, by property: one message of each."""
    return {signature[0]: finding.finding.message for signature, finding in report.found.items()}
