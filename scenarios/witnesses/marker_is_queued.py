"""The witness: a Stop Marker reaches the PRI queue."""

from __future__ import annotations

from typing import ClassVar

from hw.events.link import PageRequestQueued


class MarkerIsQueued:
    """Reached by the first marker."""

    watches: ClassVar[tuple[type, ...]] = (PageRequestQueued,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: PageRequestQueued) -> None:
        """Look for L,W,R = 1,0,0 with a PASID."""
        self.reached = self.reached or event.marker
