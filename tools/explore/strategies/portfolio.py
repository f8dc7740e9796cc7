"""The default: what is cheap and sure first, then proof within a budget, then everything else in turn."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from actors.runtime.runs.record import Record
from actors.runtime.runs.scheduler import RandomWalk

from ..dpor.dpor import Dpor
from ..search import Strategy
from .bounded import Bounded, delays
from .endless import Endless
from .fair import Fair
from .greybox import Greybox
from .pct import Pct
from .pos import Pos
from .surw import Surw

DELAYED = 500
"""Schedules for each delay bound."""
PROVING = 2_000
"""Schedules for DPOR before others have their turn; it goes on among them."""


class Portfolio:
    """Stages one after the other, each until it has no more or has used its share; the rest in turn, run by run."""

    def __init__(self, stages: Sequence[tuple[Strategy, int]], rest: Sequence[Strategy]) -> None:
        self._stages = list(stages)
        self._all = [*(strategy for strategy, _ in stages), *rest]
        self._turns = cycle(rest)
        self._current, self._left = self._stages.pop(0) if self._stages else (next(self._turns), 1)
        self.exhaustive = False

    @property
    def whole_runs(self) -> bool:
        """As the strategy whose turn it is."""
        return self._current.whole_runs

    @property
    def name(self) -> str:
        """Whose turn it is."""
        return type(self._current).__name__.lower()

    def more(self) -> bool:
        """Go on to whose turn it is; False once an exhaustive strategy has seen everything."""
        while not self.exhaustive:
            if self._current.more():
                if self._left > 0:
                    return True
            elif self._current.exhaustive:
                self.exhaustive = True
                break
            self._current, self._left = self._stages.pop(0) if self._stages else (next(self._turns), 1)
        return False

    def begin_anew(self) -> None:
        """Let all strategies begin anew."""
        for strategy in self._all:
            strategy.begin_anew()

    def start(self, execution: Record) -> None:
        """Start a run of the strategy whose turn it is."""
        self._left -= 1
        self._current.start(execution)

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Let the strategy whose turn it is choose."""
        return self._current.choose(options, outcome)

    def finish(self) -> None:
        """Tell the strategy whose turn it is that its run is over."""
        self._current.finish()


def default(seed: int, proving: int = PROVING) -> Portfolio:
    """A fair run, delay bound 1, then 2, then DPOR for `proving` schedules; then SURW, PCT, POS, greybox, chance and
    fair runs, with DPOR."""
    dpor, fair = Dpor(), Fair(seed)
    one, two = Bounded(delays, 1), Bounded(delays, 2)
    stages: list[tuple[Strategy, int]] = [(fair, 1), (one, DELAYED), (two, DELAYED), (dpor, proving)]
    surw, pct, pos = Endless(Surw(seed)), Endless(Pct(seed)), Endless(Pos(seed))
    greybox, walk = Endless(Greybox(seed)), Endless(RandomWalk(seed))
    return Portfolio(stages, [surw, pct, dpor, surw, greybox, pos, surw, pct, dpor, walk, fair])
