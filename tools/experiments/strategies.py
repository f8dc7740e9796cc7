"""The search strategies by name, as the command line offers them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from actors.runtime.runs.scheduler import RandomWalk

from ..explore.dpor.dpor import Dpor
from ..explore.search import Strategy
from ..explore.strategies.bounded import Bounded, delays, preemptions
from ..explore.strategies.endless import Endless
from ..explore.strategies.fair import Fair
from ..explore.strategies.greybox import Greybox
from ..explore.strategies.pct import Pct
from ..explore.strategies.portfolio import default
from ..explore.strategies.pos import Pos
from ..explore.strategies.surw import Surw
from ..terminal.exits import Refusal

STRATEGIES: Mapping[str, Callable[[int], Strategy]] = {
    "portfolio": default,
    "walk": lambda seed: Endless(RandomWalk(seed)),
    "pct": lambda seed: Endless(Pct(seed)),
    "pos": lambda seed: Endless(Pos(seed)),
    "fair": Fair,
    "surw": lambda seed: Endless(Surw(seed)),
    "greybox": lambda seed: Endless(Greybox(seed)),
    "delay-1": lambda _: Bounded(delays, 1),
    "delay-2": lambda _: Bounded(delays, 2),
    "preemption-1": lambda _: Bounded(preemptions, 1),
    "preemption-2": lambda _: Bounded(preemptions, 2),
    "dpor": lambda _: Dpor(),
}
"""What makes a strategy of a seed; those that draw nothing ignore it."""

SEEDLESS = frozenset({"delay-1", "delay-2", "preemption-1", "preemption-2", "dpor"})
"""Those that draw nothing: a second search with another seed is the first one again."""


def find_strategy(name: str) -> Callable[[int], Strategy]:
    """What makes the strategy of that name; Refusal with the nearest one if there is none."""
    if name not in STRATEGIES:
        near = get_close_matches(name, STRATEGIES, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise Refusal(f"strategy {name!r}{hint} (there are: {', '.join(STRATEGIES)})")
    return STRATEGIES[name]
