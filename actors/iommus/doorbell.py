"""The tail register of a queue in memory, seen from both sides.

Its moves are numbered, and hardware takes them in order: that a later move is there when an earlier one is acted on
changes nothing, so the two do not race. Polled as a plain word, the register would cost three times the interleavings
where two threads use the queue (measured on two tear-downs at once).
"""

from __future__ import annotations

from actors.runtime.primitives.step import Step, perform
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr


class Doorbell:
    """Software moves the tail under its lock; one unit waits for the moves."""

    def __init__(self, world: World, name: str, register: PhysAddr) -> None:
        self._world = world
        self._name = name
        self._register = register
        self._moves: list[int] = []
        self._taken = 0

    async def move(self, cpu: Cpu, tail: int) -> None:
        """One store."""
        step = Step(f"store {self._name}", writes=self._world.mask(("word", self._register)))
        await perform(step)
        self._world.memory.write(self._register, tail)
        self._moves.append(tail)
        step.gives = self._number(len(self._moves))

    async def wait(self) -> int:
        """One step of the unit: the tail of the next move."""
        await perform(
            Step(
                f"{self._name} moves",
                takes=self._number(self._taken + 1),
                ready=lambda: len(self._moves) > self._taken,
                blocked=lambda: f"{self._name} moves",
                idle=True,
            )
        )
        self._taken += 1
        return self._moves[self._taken - 1]

    def _number(self, number: int) -> int:
        return self._world.mask(("doorbell", self._name, number))
