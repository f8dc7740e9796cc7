"""The state of a world: equal exactly if the world goes on in the same way, and refused where that cannot be told."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import pytest

from actors.runtime.runs.fingerprint import Fingerprint, fingerprint
from actors.runtime.runs.record import Record
from actors.runtime.world import Cpu, World

from .models import Request
from .running import run

GIVEN: list[object] = []
"""What the actor is to hold next; no world refers to it."""


class Colour(enum.Enum):
    RED = 1
    BLUE = 2


class Slotted:
    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value

    def get(self) -> object:
        return self.value


class Plain:
    def __init__(self, value: object) -> None:
        self.value = value


@dataclass(frozen=True)
class Pair:
    one: object
    two: object


class Looking:
    """A scheduler that takes the fingerprint before each step of the first actor."""

    def __init__(self) -> None:
        self.seen: list[Fingerprint | None] = []

    def start(self, execution: Record) -> None:
        self.world = execution.world

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        self.seen.append(fingerprint(self.world))
        return options[0]

    def finish(self) -> None:
        """Nothing to keep."""


def states(fill: Callable[[World], None]) -> list[Fingerprint | None]:
    """Before each step of the first actor; a second one, which waits for its turn, makes it a choice."""

    def build(world: World) -> None:
        fill(world)

        @world.actor
        async def bystander(cpu: Cpu) -> None:
            await cpu.access("last")

    look = Looking()
    run(build, look)
    return look.seen


def holding(*values: object) -> list[Fingerprint | None]:
    """The states in which an actor holds the one value or the other at the same place."""

    def fill(world: World) -> None:
        async def hold(cpu: Cpu, held: object) -> None:
            await cpu.access("look")

        @world.actor
        async def main(cpu: Cpu) -> None:
            while GIVEN:
                await hold(cpu, GIVEN.pop(0))

    GIVEN[:] = [None, *values]
    return states(fill)[1:]


def counting() -> Iterator[int]:
    yield from (1, 2, 3)


def advanced(iterator: Iterator[object], by: int) -> Iterator[object]:
    list(islice(iterator, by))
    return iterator


def closure(value: object) -> Callable[[], object]:
    return lambda: value


def ring(value: object) -> list[object]:
    items: list[object] = [value]
    items.append(items)
    return items


EQUAL: list[Callable[[], object]] = [
    lambda: [1, "two", b"3", None, 4.0, (5, Colour.RED)],
    lambda: {"a": 1, "b": [2]},
    lambda: deque([1, 2]),
    lambda: Slotted(Plain([1])),
    lambda: Pair(1, [2]),
    lambda: closure([1]),
    lambda: Slotted(1).get,
    lambda: partial(Pair, 1),
    lambda: advanced(iter(range(9)), 3),
    lambda: advanced(iter([1, 2, 3]), 1),
    lambda: advanced(enumerate("abc"), 1),
    lambda: np.arange(3),
    lambda: advanced(counting(), 1),
    lambda: ring(1),
    lambda: Colour,
]


@pytest.mark.parametrize("make", EQUAL)
def test_what_was_made_alike_is_alike(make: Callable[[], object]) -> None:
    one, other = holding(make(), make())
    assert one is not None
    assert one == other


def test_the_order_of_a_set_does_not_count() -> None:
    words = [f"w{number}" for number in range(50)]
    one, other = holding({*words}, {*reversed(words)})
    assert one is not None
    assert one == other


DIFFERENT: list[tuple[object, object]] = [
    (1, True),
    (1, 1.0),
    ([1], [2]),
    ([1], (1,)),
    ({"a": 1}, {"a": 2}),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({1, 2}, {1, 3}),
    (Colour.RED, Colour.BLUE),
    (Slotted(1), Slotted(2)),
    (Plain(1), Slotted(1)),
    (Pair(1, [2]), Pair(1, [3])),
    (closure(1), closure(2)),
    (Slotted(1).get, Slotted(2).get),
    (partial(Pair, 1), partial(Pair, 2)),
    (iter(range(9)), advanced(iter(range(9)), 1)),
    (iter([1, 2]), advanced(iter([1, 2]), 1)),
    (enumerate("abc"), advanced(enumerate("abc"), 1)),
    (np.arange(3), np.arange(1, 4)),
    (advanced(counting(), 1), advanced(counting(), 2)),
    (ring(1), ring(2)),
    (ring(1), [1, ring(1)]),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_difference_is_seen(one: object, other: object) -> None:
    first, second = holding(one, other)
    assert first is not None
    assert second is not None
    assert first != second


@pytest.mark.parametrize("value", [memoryview(b"x"), {Plain(1)}, iter({1, 2}), [object().__reduce__, memoryview(b"")]])
def test_what_cannot_be_looked_into_is_refused(value: object) -> None:
    assert holding(value) == [None]


def test_where_a_loop_stands_is_part_of_it_though_no_variable_tells() -> None:
    def fill(world: World) -> None:
        @world.actor
        async def main(cpu: Cpu) -> None:
            for _ in range(4):
                await cpu.access("turn")

    seen = states(fill)
    assert len(seen) == 4
    assert all(one != other for place, one in enumerate(seen) for other in seen[:place])


def test_memory_ports_locks_and_oracles_are_part_of_it_and_the_record_is_not() -> None:
    def fill(world: World) -> None:
        port, word, lock = world.port("p", Request), world.word("x"), world.mutex("L")

        @world.actor
        async def main(cpu: Cpu) -> None:
            while True:
                await cpu.store(word, 1, "x")
                await cpu.store(word, 0, "x")
                await cpu.send(port, Request(number=1, issued_under=0))
                await cpu.receive(port)
                await cpu.lock(lock)
                await cpu.unlock(lock)

        world.step_bound = 19
        world.stop_at = 19

    seen = states(fill)
    assert None not in seen
    assert seen[1:7] == seen[7:13] == seen[13:19], "six steps, again and again"
    assert all(one != other for place, one in enumerate(seen[1:7]) for other in seen[1:7][:place])
