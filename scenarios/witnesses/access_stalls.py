"""The witness: an access of the device stalls, and software resumes it."""

from __future__ import annotations

from hw.events.faults import StallDecided

from .witness import EventWitness


class AccessStalls(EventWitness):
    """Reached by the first decision that meets a stall."""

    watches = (StallDecided,)

    def observe(self, event: StallDecided) -> None:
        """A stale STAG does not count."""
        self.reached = self.reached or event.stall >= 0
