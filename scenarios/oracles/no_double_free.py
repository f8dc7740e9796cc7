"""No object is freed twice (smmuv3 I6)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.kernel.memory.objects import ObjectFreed

from .oracle import EventOracle


class NoDoubleFree(EventOracle):
    """Names are not reused, so the second free of a name is a double free."""

    watches = (ObjectFreed,)

    def __init__(self) -> None:
        self._freed: dict[str, ObjectFreed] = {}

    def observe(self, event: ObjectFreed) -> None:
        """Remember who was first."""
        first = self._freed.setdefault(event.name, event)
        if first is not event:
            raise Violation(
                f"double free: {event.name}, freed at step {first.step} by {first.by} and again by {event.by}",
                event.name,
            )
