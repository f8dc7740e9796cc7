"""SURW: interleavings of the accesses to what is shared are drawn almost uniformly; the rest is left to chance.

Selectively uniform random walk (Zhao et al. 2025): an *intended* actor is drawn, weighted by the accesses that each
still has before it, and the others wait at their next access. It is drawn among all live actors, not among those that
wait already: on message-passing models that finds deep bugs ten times sooner.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actors.runtime.runs.causality import bits
from actors.runtime.runs.record import Record

Counts = dict[int, dict[int, int]]
"""Resource bit -> actor -> accesses in the longest run so far."""


def shared(execution: Record) -> Counts:
    """What more than one actor accessed in a run, and one of them wrote, with how often each did."""
    counts: Counts = {}
    written = 0
    for actor, step in zip(execution.actors, execution.steps, strict=True):
        written |= step.writes
        for bit in bits(step.reads | step.writes):
            of = counts.setdefault(bit, {})
            of[actor] = of.get(actor, 0) + 1
    return {bit: of for bit, of in counts.items() if bit & written and len(of) > 1}


class Surw:
    """Selectively uniform random walk. The first run is a probe; a later one looks at one shared resource, or all."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random
        self._counts: Counts = {}
        self._mask = 0
        self._left: dict[int, int] = {}
        self._waiting: set[int] = set()  # membership only; never iterated
        self._intended = -1
        self._at = 0

    def start(self, execution: Record) -> None:
        """Choose what to look at."""
        self._execution = execution
        self._at = 0
        self._waiting.clear()
        resources = list(self._counts)
        weights = [sum(of.values()) for of in self._counts.values()]
        pick = int(self._draw() * 2 * sum(weights))
        self._mask = 0
        self._left = {}
        for bit, weight in zip(resources, weights, strict=True):
            pick -= weight
            if pick < 0 or sum(weights) == 0:
                self._look_at([bit])
                break
        else:
            self._look_at(resources)
        self._intended = -1

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Anybody, but at an access to what is looked at only the intended actor; any outcome."""
        draw = self._draw
        if outcome:
            return options[int(draw() * len(options))]
        self._account()
        pending, waiting = self._execution.pending, self._waiting
        if self._intended < 0:
            self._intend(range(len(pending)))
        free = [option for option in options if option not in waiting] if waiting else list(options)
        while True:
            if not free:
                waiting.clear()
                self._intend(options)
                free = list(options)
            choice = free[int(draw() * len(free))]
            step = pending[choice]
            assert step is not None
            if choice == self._intended or not (step.reads | step.writes) & self._mask:
                return choice
            waiting.add(choice)
            free.remove(choice)

    def finish(self) -> None:
        """Learn how often each actor accesses what is shared."""
        for bit, of in shared(self._execution).items():
            known = self._counts.setdefault(bit, {})
            for actor, count in of.items():
                known[actor] = max(count, known.get(actor, 0))

    def _look_at(self, resources: Sequence[int]) -> None:
        for bit in resources:
            self._mask |= bit
            for actor, count in self._counts[bit].items():
                self._left[actor] = self._left.get(actor, 0) + count

    def _account(self) -> None:
        """Note the accesses since the last choice: after each another actor is intended."""
        execution, left = self._execution, self._left
        for index in range(self._at, execution.index):
            step = execution.steps[index]
            if (step.reads | step.writes) & self._mask:
                actor = execution.actors[index]
                left[actor] = left.get(actor, 0) - 1
                self._waiting.clear()
                self._intended = -1
        self._at = execution.index

    def _intend(self, actors: Sequence[int]) -> None:
        """Draw the intended actor among the live ones of `actors`, weighted by the accesses before them."""
        pending = self._execution.pending
        weights = [max(self._left.get(actor, 0), 1) if pending[actor] is not None else 0 for actor in actors]
        pick = self._draw() * sum(weights)
        for actor, weight in zip(actors, weights, strict=True):
            pick -= weight
            if pick < 0:
                self._intended = actor
                return
        self._intended = actors[-1]
