"""The witness: two device-TLB invalidations are under way at the same time."""

from __future__ import annotations

from typing import ClassVar

from hw.vtd.events import DescriptorDone, ItagTaken


class InvalidationsOverlap:
    """Reached when one begins before the one before it is complete; their tags order the two."""

    watches: ClassVar[tuple[type, ...]] = (ItagTaken, DescriptorDone)

    def __init__(self) -> None:
        self.reached = False
        self._running: set[int] = set()

    def observe(self, event: ItagTaken | DescriptorDone) -> None:
        """Only those that have a tag are counted."""
        if isinstance(event, ItagTaken):
            self._running.add(event.number)
        else:
            self._running.discard(event.number)
        self.reached = self.reached or len(self._running) > 1
