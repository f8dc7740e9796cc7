"""The witness: a function sends a page request before its reset and another after it."""

from __future__ import annotations

from hw.events.link import PageRequestSent
from hw.pcie.events import FunctionReset

from .witness import EventWitness


class BothLivesAsk(EventWitness):
    """Reached by a request on each side of the reset; the page request interface orders all three."""

    watches = (PageRequestSent, FunctionReset)

    def __init__(self) -> None:
        self._asked = False
        self._reset = False

    def observe(self, event: PageRequestSent | FunctionReset) -> None:
        """A request, the reset and another request have to come in this order."""
        match event:
            case FunctionReset():
                self._reset = self._asked
            case PageRequestSent():
                self._asked = True
                self.reached = self.reached or self._reset
