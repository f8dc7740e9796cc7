"""Fetching a structure piece by piece, in any order: each piece is read by an agent of its own.

The scheduler decides about the order as it does about all steps: a search tries each piece before and behind the stores
of others, but never both orders of two reads, which nobody can tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES, BusError

from .stage import Stage
from .step import Step, perform

Piece = Sequence[int]
"""Neighbouring words that are read at once, by their numbers."""
AddReader = Callable[[str, Callable[[object], Coroutine[Any, Any, None]]], None]
"""Adds an actor of that name, which needs no cpu."""


class Fetch:
    """One fetch of `count` words by `reader`: begun by its first step, over when every piece was read."""

    def __init__(
        self, stage: Stage, add_reader: AddReader, reader: str, address: PhysAddr, count: int, what: str
    ) -> None:
        self._stage = stage
        self._add_reader = add_reader
        self._reader = reader
        self._address = address
        self._what = what
        self._words = [0] * count
        self._missing = 0
        self._error: BusError | None = None

    async def run(self, pieces: Sequence[Piece], then: int) -> list[int]:
        """Read everything: words that are in no piece in the first step, each piece at a time of its own.

        The last step declares `then` among its reads.
        """
        apart = {number for piece in pieces for number in piece}
        still = [number for number in range(len(self._words)) if number not in apart]
        await self._take(Step(f"fetch {self._what}", self._footprint(still) | (0 if pieces else then)), still)
        if pieces and self._error is None:
            begun = done = 0
            if len(pieces) > 1:
                begun = self._stage.mask(("fetch begins", self._stage.actor_count))
                self._stage.session.became(gives=begun)
            for piece in pieces[1:]:
                done |= self._send_out(piece, begun)
            await self._read(pieces[0], then=0 if done else then)
            if done:
                await perform(
                    Step(f"{self._what} is read", then, takes=done, ready=self._complete, blocked=self._blocked)
                )
        if self._error is not None:
            raise self._error
        return self._words

    def _send_out(self, piece: Piece, begun: int) -> int:
        """Add an agent that reads `piece`; the mask that its read gives."""
        done = self._stage.mask(("fetched", self._stage.actor_count))
        self._missing += 1

        async def reader(cpu: object) -> None:
            await self._read(piece, begun, done, cpu=cpu)
            self._missing -= 1

        self._add_reader(f"{self._reader}.{self._name(piece)}", reader)
        return done

    async def _read(self, piece: Piece, begun: int = 0, done: int = 0, then: int = 0, cpu: object = None) -> None:
        """One step."""
        step = Step(f"load {self._name(piece)}", self._footprint(piece) | then, takes=begun, gives=done)
        await self._take(step, piece, cpu)

    async def _take(self, step: Step, numbers: Piece, cpu: object = None) -> Step:
        """Take the step, and what memory holds then; a bus error is the whole fetch's. The step as it is recorded."""
        places = [self._place(number) for number in numbers]
        step, values = await self.perform(step, places, cpu)
        for number, value in zip(numbers, values, strict=False):
            self._words[number] = value
        return step

    async def perform(self, step: Step, words: Sequence[PhysAddr], reader: object) -> tuple[Step, list[int]]:
        """Take the step that reads `words`; as it is recorded, and the values up to a bus error."""
        await perform(step)
        values = []
        try:
            for address in words:
                values.append(self._stage.memory.read(address))
        except BusError as error:
            self._error = error
        return step, values

    def _name(self, piece: Piece) -> str:
        return f"{self._what}.q{piece[0]}" + (f"-{piece[-1]}" if len(piece) > 1 else "")

    def _place(self, number: int) -> PhysAddr:
        return PhysAddr(self._address + number * WORD_BYTES)

    def _footprint(self, numbers: Piece) -> int:
        return self._stage.session.footprint(tuple([("word", self._place(number)) for number in numbers]))

    def _complete(self) -> bool:
        return not self._missing

    def _blocked(self) -> str:
        return f"the last of {self._missing} reads of {self._what}"
