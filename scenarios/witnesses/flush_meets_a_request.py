"""The witness: a device drops its cached translations while one of its page requests waits for an answer."""

from __future__ import annotations

from hw.events.link import AtcInvalidated, PageRequestSent, ResponseReceived

from .witness import EventWitness


class FlushMeetsARequest(EventWitness):
    """Reached when the flush comes between a request and whatever answers it."""

    watches = (PageRequestSent, ResponseReceived, AtcInvalidated)

    def __init__(self) -> None:
        self._waits = False

    def observe(self, event: PageRequestSent | ResponseReceived | AtcInvalidated) -> None:
        """Request, flush, response."""
        match event:
            case PageRequestSent():
                self._waits = True
            case ResponseReceived():
                self._waits = False
            case AtcInvalidated():
                self.reached = self.reached or self._waits
