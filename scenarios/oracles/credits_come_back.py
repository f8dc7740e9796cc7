"""When all is quiet the device has all its page request credits again (vtd-pcie I7; §1.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import PageRequestSent, ResponseReceived

from .oracle import EventOracle


class CreditsComeBack(EventOracle):
    """As many credits as were taken were given back."""

    watches = (PageRequestSent, ResponseReceived)

    def __init__(self) -> None:
        self._outstanding = 0

    def observe(self, event: PageRequestSent | ResponseReceived) -> None:
        """Each request takes one; a response says how many are left out."""
        if isinstance(event, PageRequestSent):
            self._outstanding += 1
        else:
            self._outstanding = event.outstanding

    def at_quiescence(self) -> None:
        """No credit is out any more."""
        if self._outstanding:
            raise Violation(f"{self._outstanding} page request credits never came back: the device starves", "credits")
