"""What lockdep asks of locks, for who asks it here: the order in which they are taken, and waits under spin locks."""

from __future__ import annotations

from typing import Any, ClassVar

from ..primitives.events import Violation
from ..world import World


class LockOrder:
    """A property to ask for (`world.check(LockOrder(world))`): no two locks are taken in both orders in one run.

    It is no default: who takes the locks may be kept apart by other means (a lock around both, an order of starts), and
    then the circle is harmless. A trylock waits for nothing, so it closes no circle.
    """

    name = "lock-order"
    watches: ClassVar[tuple[type, ...]] = ()

    def __init__(self, world: World) -> None:
        self._order = world.lock_order

    def observe(self, event: Any) -> None:
        """No event matters to it."""

    def at_quiescence(self) -> None:
        """Violation if the locks that were taken while others were held form a circle; the message names it."""
        for first, second in self._order:
            way = self._way(second, first)
            if way:
                circle = dict.fromkeys([(first, second), *way])
                told = [f"{self._order[pair]} takes {pair[1]} under {pair[0]}" for pair in circle]
                raise Violation("; ".join(told), *sorted({first, *(pair[0] for pair in way)}))

    def _way(self, start: str, end: str) -> list[tuple[str, str]]:
        """The pairs that lead from one lock to another, the fewest; of a lock to itself there is the pair itself."""
        if start == end:
            return [(start, end)]
        ways: dict[str, list[tuple[str, str]]] = {start: []}
        reached = [start]
        for lock in reached:
            for pair in self._order:
                if pair[0] == lock and pair[1] not in ways:
                    ways[pair[1]] = [*ways[lock], pair]
                    reached.append(pair[1])
        return ways.get(end, [])


class NoWaitUnderSpinLock:
    """A property to ask for: nobody waits busily for others, such as for hardware, where it may not sleep.

    It is no default: drivers do so on purpose, for a queue that is sure to move. A wait counts also if it was over at
    once.
    """

    name = "no-wait-under-spin-lock"
    watches: ClassVar[tuple[type, ...]] = ()

    def __init__(self, world: World) -> None:
        self._waits = world.busy_waits

    def observe(self, event: Any) -> None:
        """No event matters to it."""

    def at_quiescence(self) -> None:
        """Violation if somebody did."""
        for name, what, why in sorted(self._waits):
            raise Violation(f"{name} waits for `{what}` while it {why}", name)
