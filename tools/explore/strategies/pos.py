"""POS: every pending step has a random priority of its own, drawn again when a step that races with it was taken.

Partial order sampling spreads runs more evenly over inequivalent orders than a random walk (Yuan, Yang, Gu 2018).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actors.runtime.primitives.step import races
from actors.runtime.runs.record import Record


class Pos:
    """Partial order sampling."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random
        self._priority: dict[int, float] = {}
        self._options: Sequence[int] = ()
        self._at = 0

    def start(self, execution: Record) -> None:
        """No step has a priority yet."""
        self._execution = execution
        self._priority.clear()
        self._options = ()
        self._at = 0

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The step of highest priority; any outcome."""
        if outcome:
            return options[int(self._draw() * len(options))]
        self._forget()
        priority, draw = self._priority, self._draw
        best, most = options[0], -1.0
        for option in options:
            mine = priority.get(option)
            if mine is None:
                mine = priority[option] = draw()
            if mine > most:
                best, most = option, mine
        self._options = options
        return best

    def finish(self) -> None:
        """Keep nothing of the run."""

    def _forget(self) -> None:
        """Drop the priorities of steps that were taken, and of those that were offered and race with one of them."""
        execution, priority = self._execution, self._priority
        offered = self._options
        for index in range(self._at, execution.index):
            actor, step = execution.actors[index], execution.steps[index]
            priority.pop(actor, None)
            for other in offered:
                pending = execution.pending[other]
                if pending is not None and other in priority and races(step, pending):
                    del priority[other]
            offered = ()  # further steps until now were the only ones on offer
        self._at = execution.index
