"""Runs are random up to some point, and from there on everybody goes in turn: a run that never ends even then is a
livelock.

A random run hardly ever alternates regularly for long enough to stay in a livelock, and no search with a bound sees
that a run which reaches it would have gone on for ever.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import FAIR

_FARTHER = 4


class Fair:
    """The first run is fair from its beginning; in the others the point lies anywhere, farther and farther out."""

    exhaustive = False
    whole_runs = False

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random
        self._run = 0
        self._left = 0

    def more(self) -> bool:
        """Always."""
        return True

    def begin_anew(self) -> None:
        """Nothing is planned."""

    def start(self, execution: Record) -> None:
        """Draw the point."""
        self._left = int(self._draw() * _FARTHER * self._run)
        self._run += 1

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Any option, each as likely; at the point, no more choices."""
        if not outcome:
            if not self._left:
                return FAIR
            self._left -= 1
        return options[int(self._draw() * len(options))]

    def finish(self) -> None:
        """Keep nothing of the run."""
