"""The witness: a page request without its Last is thrown away."""

from __future__ import annotations

from typing import ClassVar

from drivers.events.binding import FaultDropped


class PartialIsDiscarded:
    """Reached by the first one."""

    watches: ClassVar[tuple[type, ...]] = (FaultDropped,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: FaultDropped) -> None:
        """One is enough."""
        self.reached = True
