"""No answer of the host turns the page requests of a whole function off (vtd-pcie §1.4: Response Failure, Status.RF).

The function works for many processes, and what one of them did is no reason to stop all.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import ResponseReceived
from hw.pcie.tlp import ResponseCode

from .oracle import EventOracle


class PageRequestsStayOn(EventOracle):
    """Success and Invalid Request leave them on; any other code is a Response Failure."""

    watches = (ResponseReceived,)

    def observe(self, event: ResponseReceived) -> None:
        """The code of the response alone decides."""
        if event.code not in (ResponseCode.SUCCESS, ResponseCode.INVALID):
            raise Violation(
                f"group g{event.prgi} is answered Response Failure: the function sends no page request for anybody "
                "until it is reset",
                "Status.RF",
            )
