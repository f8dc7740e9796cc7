"""The witness: software refuses a page request, and the device learns it."""

from __future__ import annotations

from typing import ClassVar

from hw.events.link import ResponseReceived
from hw.pcie.tlp import ResponseCode


class RequestIsRefused:
    """Reached by the first failure."""

    watches: ClassVar[tuple[type, ...]] = (ResponseReceived,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: ResponseReceived) -> None:
        """Anything but Success."""
        self.reached = self.reached or event.code != ResponseCode.SUCCESS
