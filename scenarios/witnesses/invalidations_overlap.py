"""The witness: two device-TLB invalidations are under way at the same time."""

from __future__ import annotations

from hw.vtd.events import DescriptorDone, ItagTaken

from .witness import EventWitness


class InvalidationsOverlap(EventWitness):
    """Reached when one begins before the one before it is complete; their tags order the two."""

    watches = (ItagTaken, DescriptorDone)

    def __init__(self) -> None:
        self._running: set[int] = set()

    def observe(self, event: ItagTaken | DescriptorDone) -> None:
        """Only those that have a tag are counted."""
        if isinstance(event, ItagTaken):
            self._running.add(event.number)
        else:
            self._running.discard(event.number)
        self.reached = self.reached or len(self._running) > 1
