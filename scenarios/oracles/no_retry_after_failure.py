"""After a response that is no Success the device does not ask for that access again (seed 001; vtd-pcie §1.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import PageRequestSent, ResponseReceived
from hw.pcie.tlp import ResponseCode

from .oracle import EventOracle


class NoRetryAfterFailure(EventOracle):
    """A failure says that software does not want to serve the address."""

    watches = (ResponseReceived, PageRequestSent)

    def __init__(self) -> None:
        self._refused: dict[int, int] = {}

    def observe(self, event: ResponseReceived | PageRequestSent) -> None:
        """Remember the refusals."""
        match event:
            case ResponseReceived(group=group, code=code) if code != ResponseCode.SUCCESS:
                self._refused[group] = code
            case PageRequestSent(group=group, pasid=pasid, address=address) if group in self._refused:
                raise Violation(
                    f"request {group} for {address:#x} of P{pasid} was answered with "
                    f"{ResponseCode(self._refused[group]).name}, and the device asks again",
                    f"P{pasid}",
                )
