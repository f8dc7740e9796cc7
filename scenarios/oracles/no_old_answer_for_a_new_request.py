"""No response to a request of a function's old life completes one of its new life (vtd-pcie I5, §1.6; seed 001).

Weaker than `no-stray-response`: an old answer that finds the function without requests is harmless.
"""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import ResponseReceived
from hw.pcie.tlp import ResponseCode

from .oracle import EventOracle
from .response_trail import TRAIL, ResponseTrail


class NoOldAnswerForANewRequest(EventOracle):
    """What the device takes for the answer to a request is the answer to it."""

    watches = (*TRAIL, ResponseReceived)

    def __init__(self) -> None:
        self._trail = ResponseTrail()

    def observe(self, event: object) -> None:
        """Only a response that finds an open group can do harm."""
        self._trail.follow(event)
        match event:
            case ResponseReceived(ordinal=ordinal, group=group, prgi=prgi, code=code) if group >= 0:
                meant = self._trail.meant(ordinal)
                if meant != group:
                    raise Violation(
                        f"the answer {ResponseCode(code).name} to request {meant} of the old life completes request "
                        f"{group} of the new one, as both have g{prgi}: the device goes on with a page that nobody "
                        "looked at",
                        f"g{prgi}",
                    )
