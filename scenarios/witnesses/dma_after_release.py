"""The witness: the device accesses memory for a process that has died."""

from __future__ import annotations

from drivers.events.faults import ReleaseReturned
from hw.events.faults import DmaEnded, DmaStalled

from .witness import EventWitness


class DmaAfterRelease(EventWitness):
    """Reached by an access that ends, or stalls, after the release callback."""

    watches = (ReleaseReturned, DmaEnded, DmaStalled)

    def __init__(self) -> None:
        self._released = False

    def observe(self, event: ReleaseReturned | DmaEnded | DmaStalled) -> None:
        """The release has to come first."""
        if isinstance(event, ReleaseReturned):
            self._released = True
        else:
            self.reached = self.reached or self._released
