"""The ordered conflicting pairs of a run: who touched what right before whom, in words that hold in every run.

A pair is two steps of two actors on one resource, one of them a write, with no write of the resource between them. Its
name has no numbers, addresses or parameters in it, so that pairs of different runs, sessions and machines compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from actors.runtime.primitives.session import Session
from actors.runtime.primitives.step import Resource, Step
from actors.runtime.runs.causality import bits
from actors.runtime.runs.record import Record

MOST_REMEMBERED = 50_000
"""Orders of accesses to one resource whose pairs are remembered; then all are forgotten and met again."""

_NUMBER = re.compile(r"#?\b(?:0x[0-9a-f]+|\d+)\b|(?<=[a-z]{2})\d+\b")
_VERBS = ("load ", "store ", "rmw ")

Access = tuple[str, str, bool, bool]
"""Actor, what it does, whether that reads the resource in question, whether it writes it."""


def kind(name: str) -> str:
    """A name without its numbers: `CMDQ[#]`, `free PASID #`, `smmu.command#`; `q0` and `CPU1` are names, and stay."""
    return _NUMBER.sub("#", name)


def object_kind(resource: Resource, first: str, second: str) -> str:
    """What two steps met at: a memory word by the name that a load or store gives it, all else by its own."""
    match resource:
        case ("word", int()):
            names = [_word(what) for what in (first, second) if what.startswith(_VERBS)]
            return min(names, key=lambda name: (len(name), name)) if names else "memory"
        case ("port", name, "head" | "tail" as end):
            return kind(f"{end} of {name}")
        case ("lock" | "rwlock" as form, name, *_):
            return kind(f"{form} {name}")
        case tuple(parts):
            return kind(" ".join(str(part) for part in parts))
    return kind(str(resource))


def _word(what: str) -> str:
    """`CMDQ[#]` of `store CMDQ[0] = CFGI_CD`, `CD[#].q0` of `store CD[1].q0 (EPD0)`."""
    name = what.partition(" ")[2].partition(" = ")[0].partition(" (")[0]
    return kind(name)


Order = tuple[int, ...]
"""A resource's bit, then the numbers of the accesses to it, first to last."""


class Orders:
    """The order in which a run touched each resource; accesses have numbers that hold for one session."""

    __slots__ = ("_accesses", "_known")

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, int, int], tuple[int, Sequence[int]]] = {}
        """Number of the access, and the bits of what it touches."""
        self._accesses: list[tuple[str, str, int, int]] = []

    def of(self, execution: Record) -> list[Order]:
        """One for each resource that was touched more than once."""
        known = self._known
        names = [actor.name for actor in execution.world.actors]
        touched: dict[int, list[int]] = {}
        for actor, step in zip(execution.actors, execution.steps, strict=True):
            reads, writes = step.reads, step.writes
            if reads or writes:
                access = (names[actor], step.what, reads, writes)
                number, resources = known.get(access) or self._meet(access)
                for bit in resources:
                    order = touched.get(bit)
                    if order is None:
                        touched[bit] = [bit, number]
                    else:
                        order.append(number)
        return [tuple(order) for order in touched.values() if len(order) > 2]

    def number(self, name: str, step: Step) -> int:
        """The number of the access that an actor's step is."""
        access = (name, step.what, step.reads, step.writes)
        return (self._known.get(access) or self._meet(access))[0]

    def access(self, number: int, bit: int) -> Access:
        """What an access is to the resource of that bit."""
        actor, what, reads, writes = self._accesses[number]
        return actor, what, bool(reads & bit), bool(writes & bit)

    def conflicts(self, order: Order) -> Iterator[tuple[int, int]]:
        """The pairs of an order: a write and what follows it up to the next write, reads and the write after them."""
        bit, *numbers = order
        since: list[tuple[int, Access]] = []  # the last write, and the reads after it
        for number in numbers:
            access = self.access(number, bit)
            for other, before in since:
                if before[0] != access[0] and (access[3] or before[3]):
                    yield other, number
            if access[3]:
                since = []
            since.append((number, access))

    def _meet(self, access: tuple[str, str, int, int]) -> tuple[int, Sequence[int]]:
        _, _, reads, writes = access
        entry = self._known[access] = (len(self._accesses), tuple(bits(reads | writes)))
        self._accesses.append(access)
        return entry


class Pairs:
    """Names the pairs of runs of one session.

    The accesses to a resource come in few different orders, so the pairs of each such order are named once and looked
    up ever after: about 0.3 µs a step, a twentieth of what a run costs.
    """

    __slots__ = ("_names", "_orders", "_prefix", "_resources")

    def __init__(self, session: Session, prefix: str = "") -> None:
        self._prefix = prefix
        """What all names begin with."""
        self._resources = session.resources
        self._orders = Orders()
        self._names: dict[Order, frozenset[str]] = {}

    def of(self, execution: Record) -> set[str]:
        """The names of all pairs of a run."""
        names = self._names
        found: list[frozenset[str]] = []
        for order in self._orders.of(execution):
            pairs = names.get(order)
            found.append(self._learn(order) if pairs is None else pairs)
        return set().union(*found)

    def _learn(self, order: Order) -> frozenset[str]:
        orders, bit = self._orders, order[0]
        (resource,) = self._resources.names(bit)
        if len(self._names) >= MOST_REMEMBERED:
            self._names.clear()
        found = self._names[order] = frozenset(
            self._prefix + pair_name(resource, orders.access(first, bit), orders.access(second, bit))
            for first, second in orders.conflicts(order)
        )
        return found


def pair_name(resource: Resource, first: Access, second: Access) -> str:
    """`actor: what -> actor: what @ object`, all of them kinds."""
    where = object_kind(resource, first[1], second[1])
    return f"{kind(first[0])}: {kind(first[1])} -> {kind(second[0])}: {kind(second[1])} @ {where}"
