"""A bus whose steps all happen at once, and a runner for code that awaits nothing else."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest

from hw.bus import PhysAddr, Resource
from hw.memory import Memory


class StubBus:
    """Performs every step immediately and notes it; `before` lets a test act as another agent ahead of a step."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.steps: list[str] = []
        self.touched: list[tuple[tuple[Resource, ...], tuple[Resource, ...]]] = []
        self.before: dict[str, Callable[[], None]] = {}

    def _step(self, what: str) -> None:
        self.before.pop(what, lambda: None)()
        self.steps.append(what)

    async def load(self, address: PhysAddr, what: str = "") -> int:
        """Read a word."""
        self._step(what)
        return self.memory.read(address)

    async def store(self, address: PhysAddr, value: int, what: str = "") -> None:
        """Write a word."""
        self._step(what)
        self.memory.write(address, value)

    async def access(self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """Note what the caller is about to touch."""
        self._step(what)
        self.touched.append((tuple(reads), tuple(writes)))

    async def choose(self, what: str, options: int) -> int:
        """Take the plain outcome."""
        return 0

    def emit(self, event: object) -> None:
        """Nobody listens."""


def _run(coroutine: Coroutine[Any, Any, Any]) -> Any:
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("the coroutine waits for something that is not the bus")


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Drive a coroutine that never really waits."""
    return _run


@pytest.fixture
def make_bus() -> type[StubBus]:
    """The bus class, to be built on the test's memory."""
    return StubBus
