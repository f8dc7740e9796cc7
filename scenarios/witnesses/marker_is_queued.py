"""The witness: a Stop Marker reaches the PRI queue."""

from __future__ import annotations

from hw.events.link import PageRequestQueued

from .witness import EventWitness


class MarkerIsQueued(EventWitness):
    """Reached by the first marker."""

    watches = (PageRequestQueued,)

    def observe(self, event: PageRequestQueued) -> None:
        """Look for L,W,R = 1,0,0 with a PASID."""
        self.reached = self.reached or event.marker
