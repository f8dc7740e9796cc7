"""The witness: software refuses a page request, and the device learns it."""

from __future__ import annotations

from hw.events.link import ResponseReceived
from hw.pcie.tlp import ResponseCode

from .witness import EventWitness


class RequestIsRefused(EventWitness):
    """Reached by the first failure."""

    watches = (ResponseReceived,)

    def observe(self, event: ResponseReceived) -> None:
        """Any code but Success counts."""
        self.reached = self.reached or event.code != ResponseCode.SUCCESS
