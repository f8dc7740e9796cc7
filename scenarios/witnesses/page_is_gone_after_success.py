"""The witness: a page that software has just made present is gone when the device asks for it again."""

from __future__ import annotations

from hw.events.link import ResponseReceived, Translated
from hw.pcie.tlp import CompletionStatus, ResponseCode

from .witness import EventWitness


class PageIsGoneAfterSuccess(EventWitness):
    """Reached by a hole after a Success; the device's own order (response, then request) orders the two."""

    watches = (ResponseReceived, Translated)

    def __init__(self) -> None:
        self._success = False

    def observe(self, event: ResponseReceived | Translated) -> None:
        """The promise has to come first, then the hole."""
        match event:
            case ResponseReceived(code=code):
                self._success = self._success or code == ResponseCode.SUCCESS
            case Translated(page=0, status=CompletionStatus.SUCCESS):
                self.reached = self.reached or self._success
