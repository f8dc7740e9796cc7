"""How large a search will be, guessed from how much of its tree is behind (Kilby et al. 2006)."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

_SAMPLES = 8
_FEW = 3


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many runs the whole search may take, and by what factor that may be wrong, either way.

    The factor is how far the last few estimates were from this one; None if there were none. It is no bound: all of
    them take what is not explored to be like what is.
    """

    traces: float
    factor: float | None

    def __str__(self) -> str:
        if math.isinf(self.traces):
            return "?"
        if self.factor is None:
            return f"{self.traces:,.0f} (a first guess)"
        return f"{self.traces:,.0f} ({self.traces / self.factor:,.0f} to {self.traces * self.factor:,.0f})"


class Estimator:
    """Remembers the last few guesses; one is kept whenever the search has grown by an eighth."""

    def __init__(self) -> None:
        self._guesses: deque[float] = deque(maxlen=_SAMPLES)
        self._next = 1

    def is_due(self, runs: int) -> bool:
        """Whether a guess after so many runs is worth keeping."""
        return runs >= self._next

    def note(self, runs: int, explored: float) -> None:
        """Keep a guess: `explored` is the share of the tree that was seen in so many runs."""
        self._next = runs + runs // 8 + 1
        self._guesses.append(_guess(runs, explored))

    def estimate(self, runs: int, explored: float) -> Estimate:
        """The guess of this moment, beside those that were kept."""
        now = _guess(runs, explored)
        if explored >= 1.0:
            return Estimate(now, 1.0)
        before = [guess for guess in self._guesses if guess and not math.isinf(guess)]
        if len(before) < _FEW or math.isinf(now):
            return Estimate(now, None)
        return Estimate(now, max(max(guess / now, now / guess) for guess in before))


def _guess(runs: int, explored: float) -> float:
    return runs / explored if explored else math.inf
