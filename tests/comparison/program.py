"""A small scenario as data: what each actor does and what must hold, as a text that people can read, keep and replay.

A line is an actor (`actor a: load 0; if 1 { store 1 2 }`), a daemon, or a property:

    always S V      no note of subject S has value V
    rising S        the notes of subject S never go down
    rest W V        word W holds V when the world is at rest
    seen S V        some run notes V of subject S
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

Body = tuple["Op", ...]
PROPERTIES = ("always", "rising", "rest", "seen")
NARROWING = {"select", "glance", "raiseif", "pickone", "downany"}
"""Operations that come to touch less than they announced."""
_TOKEN = re.compile(r"[{};]|[^\s{};]+")


@dataclass(frozen=True, slots=True)
class Op:
    """One operation: its name, its numbers, and the operations inside it."""

    name: str
    numbers: tuple[int, ...] = ()
    bodies: tuple[Body, ...] = ()

    def __str__(self) -> str:
        bodies = [f"{{ {text(body)} }}" if body else "{ }" for body in self.bodies]
        return " ".join([self.name, *map(str, self.numbers), *bodies])


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts; a daemon only waits for work."""

    name: str
    body: Body
    daemon: bool = False

    def __str__(self) -> str:
        return f"{'daemon' if self.daemon else 'actor'} {self.name}: {text(self.body)}"


@dataclass(frozen=True, slots=True)
class Property:
    """What must hold, or must be reached (`seen`)."""

    kind: str
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join([self.kind, *map(str, self.numbers)])


@dataclass(frozen=True, slots=True)
class Program:
    """All of a scenario."""

    actors: tuple[Actor, ...]
    properties: tuple[Property, ...] = ()

    def __str__(self) -> str:
        return "\n".join(map(str, (*self.actors, *self.properties)))


def text(body: Body) -> str:
    """The operations of a body, as `parse` reads them."""
    return "; ".join(map(str, body))


def parse(lines: str) -> Program:
    """The program that a text means; ValueError for a line that means nothing."""
    actors, properties = [], []
    for line in filter(None, map(str.strip, lines.splitlines())):
        head, _, rest = line.partition(" ")
        if head in PROPERTIES:
            properties.append(Property(head, tuple(map(int, rest.split()))))
        elif head in ("actor", "daemon"):
            name, _, body = rest.partition(":")
            tokens = [*_TOKEN.findall(body), "}"]
            actors.append(Actor(name, _body(iter(tokens)), head == "daemon"))
        else:
            raise ValueError(f"no actor, daemon or property: {line}")
    return Program(tuple(actors), tuple(properties))


def walk(body: Iterable[Op]) -> Iterator[Op]:
    """All operations, also those inside others."""
    for op in body:
        yield op
        for inner in op.bodies:
            yield from walk(inner)


def _body(tokens: Iterator[str]) -> Body:
    """The operations up to the closing brace."""
    ops: list[Op] = []
    name = ""
    numbers: list[int] = []
    bodies: list[Body] = []
    for token in tokens:
        if token == "{":
            bodies.append(_body(tokens))
        elif token in ";}":
            if name:
                ops.append(Op(name, tuple(numbers), tuple(bodies)))
            name, numbers, bodies = "", [], []
            if token == "}":
                break
        elif name:
            numbers.append(int(token))
        else:
            name = token
    return tuple(ops)
