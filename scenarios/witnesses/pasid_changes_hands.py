"""The witness: a second process gets the PASID."""

from __future__ import annotations

from typing import ClassVar

from drivers.events.binding import PasidAllocated


class PasidChangesHands:
    """Reached by the first allocation of the run."""

    watches: ClassVar[tuple[type, ...]] = (PasidAllocated,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: PasidAllocated) -> None:
        """One is enough."""
        self.reached = True
