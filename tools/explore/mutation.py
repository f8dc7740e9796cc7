"""Mutation: schedules that showed a new order of two racing steps are kept, and varied in a few places.

The feedback of Fest and RFF (fuzzing of schedules) without their machinery: a choice tape is all there is to vary.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actors.runtime.execution import Execution
from actors.runtime.schedule import Schedule

from .causality import bits

MUTANTS = 16
"""Runs made of one kept schedule before the next one has its turn."""
CHANGES = 5
"""Places at which a mutant may differ at most."""
KEPT = 512
"""Kept schedules; the oldest is forgotten first."""

Access = tuple[int, str]


class Mutation:
    """Varies what was new. A choice that is not offered in the new run is drawn at random."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._seen: dict[tuple[Access, Access], None] = {}
        self._kept: list[Schedule] = []
        self._turn = 0
        self._tape: Schedule = ()
        self._changes: frozenset[int] = frozenset()

    def start(self, execution: Execution) -> None:
        """Take the schedule whose turn it is, and the places to change."""
        self._execution = execution
        if self._kept:
            self._tape = self._kept[self._turn // MUTANTS % len(self._kept)]
            self._turn += 1
        count = self._random.randint(1, CHANGES) if self._tape else 0
        self._changes = frozenset(self._random.choices(range(len(self._tape)), k=count)) if count else frozenset()

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The kept choice, or a random one."""
        at = len(self._execution.choices)
        if at < len(self._tape) and at not in self._changes and self._tape[at] in options:
            return self._tape[at]
        return options[int(self._random.random() * len(options))]

    def finish(self) -> None:
        """Keep the schedule if two racing steps came in an order that was not seen before."""
        if self._news():
            if len(self._kept) == KEPT:
                del self._kept[0]
            self._kept.append(self._execution.schedule)

    def _news(self) -> bool:
        execution, seen = self._execution, self._seen
        last: dict[int, Access] = {}
        before = len(seen)
        for actor, step in zip(execution.actors, execution.steps, strict=True):
            access = (actor, step.what)
            for bit in bits(step.reads | step.writes):
                previous = last.get(bit)
                if previous is not None and previous[0] != actor:
                    seen[previous, access] = None
            for bit in bits(step.writes):
                last[bit] = access
        return len(seen) > before
