"""A race that stands on the command line: C files, what is called before, and which functions are actors.

`stopmarker prove driver.c --setup setup --thread report_fault:1,7 --worker iopf_wq` names the scenario
`driver.c::setup=setup;thread=report_fault:1,7;worker=iopf_wq`, and any other command knows it by that name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from actors.c.module import CModule, Code
from actors.runtime.world import World
from scenarios.scenario import Scenario

from ..terminal.exits import Refusal

KINDS = ("setup", "thread", "worker", "check")
_PART = re.compile(r"(setup|thread|worker|check)=([A-Za-z_]\w*)(?::(-?\w+(?:,-?\w+)*))?")
_FORM = "expected --setup, --thread or --check FUNCTION[:NUMBER,…], or --worker QUEUE"


class RacePart(NamedTuple):
    """A function, or a work queue, and what is to be made of it."""

    kind: str
    name: str
    arguments: tuple[int, ...]


def is_c(path: str) -> bool:
    """Whether a scenario's name begins with C files."""
    return path.endswith(".c")


def c_race(paths: str, parts: str) -> Scenario:
    """The scenario of these files, separated by commas; Refusal if a part cannot be read, or there is no thread."""
    found = [_part(text) for text in parts.split(";") if text]
    if not any(part.kind == "thread" for part in found):
        raise Refusal(f"{paths}: no function is an actor; name at least one, such as --thread report_fault:1,7")
    code = CModule([Path(path) for path in paths.split(",")])

    def build(world: World) -> None:
        _fill(world, code.load(world), found)

    return Scenario(name=Path(paths.partition(",")[0]).stem, summary=f"C of {paths}", source="", params={}, build=build)


def _part(text: str) -> RacePart:
    match = _PART.fullmatch(text)
    if match is None:
        raise Refusal(f"part {text!r} of a race in C: {_FORM}")
    try:
        return RacePart(match[1], match[2], tuple(int(number, 0) for number in (match[3] or "").split(",") if number))
    except ValueError:
        raise Refusal(f"part {text!r} of a race in C: its arguments are numbers, such as 7 or 0x10") from None


def _fill(world: World, code: Code, parts: Sequence[RacePart]) -> None:
    world.step_bound = 20_000
    for part in parts:
        if part.kind == "setup":
            code.call(part.name, *part.arguments)
    names = [part.name for part in parts if part.kind == "thread"]
    taken: dict[str, int] = {}
    for part in parts:
        if part.kind == "thread":
            taken[part.name] = taken.get(part.name, 0) + 1
            name = part.name if names.count(part.name) == 1 else f"{part.name}#{taken[part.name]}"
            world.add_actor(name, code.thread(part.name, *part.arguments))
        elif part.kind == "worker":
            world.add_actor(part.name, code.worker(part.name), daemon=True)
    for part in parts:
        if part.kind == "check":
            world.eventually(part.name, lambda part=part: _asked(code, part))  # type: ignore[misc]
    world.eventually("nothing leaks", code.leaks)


def _asked(code: Code, part: RacePart) -> str | None:
    answer = code.call(part.name, *part.arguments)
    return f"{part.name} returns {answer} at the end" if answer else None
