"""What happened before what in a run that is over, and orders of its events that respect it."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from ..primitives.causality import Causality as Causality  # who looks at runs imports these from here
from ..primitives.causality import bits as bits
from .record import Record


def causality_of(record: Record) -> Causality:
    """What happened before what in a run."""
    causality = Causality()
    for actor, step in zip(record.actors, record.steps, strict=True):
        causality.add(actor, step)
    return causality


def ordered(past: Sequence[int], rank: Sequence[float]) -> list[int]:
    """The events in an order that respects what happened before what, those of low rank as early as they can."""
    ready: list[tuple[float, int]] = []
    waiting: dict[int, list[int]] = {}  # an event that is still to come -> those that wait for it, and perhaps others
    done = 0

    def admit(event: int) -> None:
        missing = past[event] & ~done & ~(1 << event)
        if missing:
            waiting.setdefault(missing.bit_length() - 1, []).append(event)
        else:
            heappush(ready, (rank[event], event))

    for event in range(len(past)):
        admit(event)
    order = []
    while ready:
        event = heappop(ready)[1]
        done |= 1 << event
        order.append(event)
        for other in waiting.pop(event, ()):
            admit(other)
    return order
