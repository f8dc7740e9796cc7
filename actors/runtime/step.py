"""A step: one visible operation, announced with its exact footprint before it is performed.

Footprints are int bit masks, one bit a resource. Two steps race when one *writes* what the other reads or writes.
*gives* and *takes* order a cause before its effect without a race: what is pushed before what is popped, a release
before the next acquire. A step that is not `ready` is not offered: blocking is a condition, never a failed poll.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterable
from types import coroutine

Resource = Hashable


class Step:
    """What an actor is about to do; mutable only by the object that performs it (`gives`/`takes` of a queue
    element are known when the step happens, not when it is announced)."""

    __slots__ = ("blocked", "gives", "idle", "options", "reads", "ready", "takes", "what", "writes")

    def __init__(
        self,
        what: str,
        reads: int = 0,
        writes: int = 0,
        *,
        takes: int = 0,
        gives: int = 0,
        ready: Callable[[], bool] | None = None,
        blocked: Callable[[], str] | None = None,
        options: int = 0,
        idle: bool = False,
    ) -> None:
        self.what = what
        self.reads = reads
        self.writes = writes
        self.takes = takes
        self.gives = gives
        self.ready = ready
        self.blocked = blocked
        self.options = options
        self.idle = idle  # a daemon that waits here has nothing left to do

    def __repr__(self) -> str:
        return f"Step({self.what!r})"


@coroutine
def perform(step: Step) -> Generator[Step, int, int]:
    """Announce `step`; return when it was chosen, with the outcome if it offered some."""
    return (yield step)


def races(a: Step, b: Step) -> bool:
    """True if the order of the two steps can be observed."""
    return bool(a.writes & (b.reads | b.writes) or a.reads & b.writes)


class ResourceTable:
    """Gives each resource one bit, for the life of a session, so that masks compare across runs.

    The numbers reach no choice and no trace; only equality and intersection of masks is ever used.
    """

    def __init__(self) -> None:
        self._bits: dict[Resource, int] = {}

    def mask(self, resource: Resource) -> int:
        """The one-bit mask of a resource."""
        bit = self._bits.get(resource)
        if bit is None:
            bit = self._bits[resource] = 1 << len(self._bits)
        return bit

    def union(self, resources: Iterable[Resource]) -> int:
        """The mask of several resources."""
        mask = 0
        for resource in resources:
            mask |= self.mask(resource)
        return mask

    def names(self, mask: int) -> list[Resource]:
        """The resources of a mask, in the order they were first named."""
        return [resource for resource, bit in self._bits.items() if bit & mask]
