"""PCT: an actor order drawn at random, and d - 1 random points at which who leads falls behind all others.

A bug that needs d ordering constraints is hit with probability 1 / (n k^(d-1)) or better (Burckhardt et al. 2010).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actors.runtime.runs.record import Record

FAIR_AFTER = 1_000
"""Contested steps after which the order is plainly random, so that a leader that only polls cannot keep others out."""


class Pct:
    """Probabilistic concurrency testing; the depth goes through `depths`, one a run."""

    def __init__(self, seed: int, depths: Sequence[int] = (1, 2, 3, 4)) -> None:
        self._random = random.Random(seed)
        self._depths = tuple(depths)
        self._run = 0
        self._longest = 2  # contested steps of the longest run so far
        self._contested = 0
        self._priority: list[float] = []
        self._changes: list[int] = []

    def start(self, execution: Record) -> None:
        """Draw the points of change; actors get their rank when they are first seen."""
        depth = self._depths[self._run % len(self._depths)]
        self._run += 1
        self._contested = 0
        self._priority.clear()
        points = range(1, max(self._longest, depth))
        self._changes = sorted(self._random.sample(points, depth - 1), reverse=True)

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Whoever leads; any outcome."""
        draw = self._random.random
        if outcome:
            return options[int(draw() * len(options))]
        self._contested += 1
        if self._contested > FAIR_AFTER:
            return options[int(draw() * len(options))]
        priority = self._priority
        while len(priority) <= options[-1]:
            priority.append(draw())
        leader = max(options, key=priority.__getitem__)
        if self._changes and self._contested >= self._changes[-1]:
            self._changes.pop()
            priority[leader] = -1 / (1 + len(self._changes))  # later points sink deeper
            leader = max(options, key=priority.__getitem__)
        return leader

    def finish(self) -> None:
        """Learn how long runs are."""
        self._longest = max(self._longest, min(self._contested, FAIR_AFTER))
