"""A race that stands on the command line: C files, what is called before, and which functions are actors.

`stopmarker prove driver.c --setup setup --thread report_fault:1,7 --worker iopf_wq` names the scenario
`driver.c::setup=setup;thread=report_fault:1,7;worker=iopf_wq`, and any other command knows it by that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from actors.c.module import CModule, Code
from actors.runtime.world import World
from scenarios.scenario import Scenario

from ..terminal.exits import Refusal

_CALLED = re.compile(r"([A-Za-z_]\w*)(?::(-?\w+(?:,-?\w+)*))?")
_FORMS = {
    "setup": "FUNCTION[:NUMBER,…]",
    "thread": "FUNCTION[:NUMBER,…]",
    "check": "FUNCTION",
    "missing": "FUNCTION[:NUMBER]",
    "worker": "QUEUE",
    "interrupt": "NUMBER",
    "steps": "NUMBER",
    "after": "ACTOR:ACTOR",
    "tree": "PATH",
}


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
    if not any(part.kind in ("thread", "interrupt") for part in found):
        raise Refusal(f"{paths}: no function is an actor; name at least one, such as --thread report_fault:1,7")
    names = {name for _, name in _named(found)}
    for unknown in {name: None for order in _orders(found) for name in order if name not in names}:
        raise Refusal(f"--after {unknown}: no actor has that name; there are {', '.join(sorted(names))}")
    trees = [Path(part.name) for part in found if part.kind == "tree"]
    tree = trees[0] if trees else None
    code = CModule([Path(path) for path in paths.split(",")], tree=tree)

    def build(world: World) -> None:
        _fill(world, code.load(world), found)

    return Scenario(name=Path(paths.partition(",")[0]).stem, summary=f"C of {paths}", source="", params={}, build=build)


def _part(text: str) -> RacePart:
    kind, _, value = text.partition("=")
    if kind not in _FORMS:
        raise Refusal(f"part {text!r} of a race in C: expected one of {', '.join(f'--{each}' for each in _FORMS)}")
    match = _CALLED.fullmatch(f"c_interrupt:{value}" if kind in ("interrupt", "steps") else value)
    if kind in ("worker", "after", "tree"):
        if not value or (kind == "after" and not all(value.partition(":"))):
            raise Refusal(f"part {text!r} of a race in C: expected --{kind} {_FORMS[kind]}")
        return RacePart(kind, value, ())
    if match is None:
        raise Refusal(f"part {text!r} of a race in C: expected --{kind} {_FORMS[kind]}")
    try:
        return RacePart(kind, match[1], tuple(int(number, 0) for number in (match[2] or "").split(",") if number))
    except ValueError:
        raise Refusal(f"part {text!r} of a race in C: its arguments are numbers, such as 7 or 0x10") from None


def _fill(world: World, code: Code, parts: Sequence[RacePart]) -> None:
    world.step_bound = next((part.arguments[0] for part in parts if part.kind == "steps"), 20_000)
    before: dict[str, list[str]] = {}
    for later, earlier in _orders(parts):
        before.setdefault(later, []).append(earlier)
    for part in parts:
        if part.kind == "missing":
            code.returns(part.name, *part.arguments)
    for part in parts:
        if part.kind == "setup":
            code.call(part.name, *part.arguments)
    for part, name in _named(parts):
        if part.kind == "worker":
            world.add_actor(name, code.worker(part.name), daemon=True)
        else:
            world.add_actor(name, code.thread(part.name, *part.arguments, after=before.get(name, ())))
    for part in parts:
        if part.kind == "check":
            world.eventually(part.name, lambda part=part: _asked(code, part))  # type: ignore[misc]
    world.eventually("nothing leaks", code.leaks)


def _orders(parts: Sequence[RacePart]) -> list[tuple[str, str]]:
    """Which actor comes after which."""
    orders = [part.name.partition(":") for part in parts if part.kind == "after"]
    return [(later, earlier) for later, _, earlier in orders]


def _named(parts: Sequence[RacePart]) -> Iterator[tuple[RacePart, str]]:
    """The actors, each with its name: that of its function, with a number where there are several."""
    actors = [part for part in parts if part.kind in ("thread", "interrupt", "worker")]
    names = [f"interrupt{part.arguments[0]}" if part.kind == "interrupt" else part.name for part in actors]
    taken: dict[str, int] = {}
    for part, name in zip(actors, names, strict=True):
        taken[name] = taken.get(name, 0) + 1
        yield part, name if names.count(name) == 1 else f"{name}#{taken[name]}"


def _asked(code: Code, part: RacePart) -> str | None:
    answer = code.call(part.name, *part.arguments)
    return f"{part.name} returns {answer} at the end" if answer else None
