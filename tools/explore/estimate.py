"""How large a search will be, guessed from how much of its tree is behind (Kilby et al. 2006)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many runs the whole search may take: now, and between which values the last few estimates lay."""

    traces: float
    low: float
    high: float


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
        """The guess of this moment, among those that were kept."""
        now = _guess(runs, explored)
        seen = [*self._guesses, now]
        return Estimate(now, min(seen), max(seen))


def _guess(runs: int, explored: float) -> float:
    return runs / explored if explored else 1.0
