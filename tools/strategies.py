"""The search strategies by name, as the command line offers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from actors.runtime.schedule import RandomWalk

from .explore.bounded import Bounded, delays, preemptions
from .explore.dpor import Dpor
from .explore.endless import Endless
from .explore.mutation import Mutation
from .explore.pct import Pct
from .explore.portfolio import default
from .explore.pos import Pos
from .explore.search import Strategy
from .explore.surw import Surw

STRATEGIES: Mapping[str, Callable[[int], Strategy]] = {
    "portfolio": default,
    "walk": lambda seed: Endless(RandomWalk(seed)),
    "pct": lambda seed: Endless(Pct(seed)),
    "pos": lambda seed: Endless(Pos(seed)),
    "surw": lambda seed: Endless(Surw(seed)),
    "mutation": lambda seed: Endless(Mutation(seed)),
    "delay-1": lambda _: Bounded(delays, 1),
    "delay-2": lambda _: Bounded(delays, 2),
    "preemption-1": lambda _: Bounded(preemptions, 1),
    "preemption-2": lambda _: Bounded(preemptions, 2),
    "dpor": lambda _: Dpor(),
}
"""What makes a strategy of a seed; those that draw nothing ignore it."""
