"""No response reaches a request that it was not meant for (smmuv3 I4; vtd-pcie I5; seed 001)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import ResponseReceived

from .oracle import EventOracle
from .response_trail import TRAIL, ResponseTrail


class NoStrayResponse(EventOracle):
    """The device takes a response for the very group whose Last it answers."""

    watches = (*TRAIL, ResponseReceived)

    def __init__(self) -> None:
        self._trail = ResponseTrail()

    def observe(self, event: object) -> None:
        """Compare what it is with what the device takes it for."""
        self._trail.follow(event)
        match event:
            case ResponseReceived(ordinal=ordinal, group=group, prgi=prgi) if group != self._trail.meant(ordinal):
                raise Violation(
                    f"the response for g{prgi} was meant for {_name(self._trail.meant(ordinal))}, the device takes it "
                    f"for {_name(group)}",
                    f"g{prgi}",
                )


def _name(group: int) -> str:
    return f"request {group}" if group >= 0 else "no request at all"
