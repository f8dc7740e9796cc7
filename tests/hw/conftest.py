"""A bus whose steps all happen at once, and a runner for code that awaits nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from hw.bus import PhysAddr, Resource
from hw.memory import WORD_BYTES, Memory


class StubBus:
    """Performs every step immediately and notes it; `before` lets a test act as another agent ahead of a step.

    Events are kept; `choices` are what `choose` answers.
    """

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.steps: list[str] = []
        self.touched: list[tuple[tuple[Resource, ...], tuple[Resource, ...]]] = []
        self.before: dict[str, Callable[[], None]] = {}
        self.events: list[object] = []
        self.choices: list[int] = []

    def _step(self, what: str) -> None:
        self.before.pop(what, lambda: None)()
        self.steps.append(what)

    async def load(self, address: PhysAddr, what: str = "") -> int:
        """Read a word."""
        self._step(what)
        return self.memory.read(address)

    async def load_apart(
        self, address: PhysAddr, count: int, pieces: Sequence[Sequence[int]], what: str, then: Sequence[Resource] = ()
    ) -> Sequence[int]:
        """Read each piece in turn, and before them what is in none."""
        apart = [number for piece in pieces for number in piece]
        words = [0] * count
        self._step(f"fetch {what}")
        for number in sorted(range(count), key=lambda number: number in apart):
            if number in apart:
                self._step(f"{what}.q{number}")
            words[number] = self.memory.read(PhysAddr(address + WORD_BYTES * number))
        return words

    async def store(self, address: PhysAddr, value: int, what: str = "") -> None:
        """Write a word."""
        self._step(what)
        self.memory.write(address, value)

    async def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> int:
        """Read and write a word."""
        self._step(f"rmw {what}")
        before = self.memory.read(address)
        self.memory.write(address, change(before))
        return before

    async def load_words(self, address: PhysAddr, count: int, what: str) -> Sequence[int]:
        """Read neighbouring words."""
        self._step(what)
        return [self.memory.read(PhysAddr(address + number * WORD_BYTES)) for number in range(count)]

    async def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> None:
        """Write neighbouring words."""
        self._step(what)
        for number, value in enumerate(values):
            self.memory.write(PhysAddr(address + number * WORD_BYTES), value)

    async def access(self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """Note what the caller is about to touch."""
        self._step(what)
        self.touched.append((tuple(reads), tuple(writes)))

    async def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> int:
        """Take the next of `choices`, or the plain outcome."""
        return self.choices.pop(0) if self.choices else 0

    def emit(self, event: object) -> None:
        """Keep it."""
        self.events.append(event)


def drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the coroutine waits for something that is not the bus")


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Drive a coroutine that never really waits."""
    return drive


@pytest.fixture
def make_bus() -> type[StubBus]:
    """The bus class, to be built on the test's memory."""
    return StubBus
