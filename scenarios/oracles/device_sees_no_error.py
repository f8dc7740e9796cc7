"""No function meets an error of the host's making: no UR, Completer Abort or refused page (vtd-pcie §1.2, L7)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.link import whose
from hw.pcie.events import DeviceErrorSeen

from .oracle import EventOracle


class DeviceSeesNoError(EventOracle):
    """What the function does is right, so an error is the fault of whoever took its translation away."""

    watches = (DeviceErrorSeen,)

    def observe(self, event: DeviceErrorSeen) -> None:
        """The first is one too many."""
        raise Violation(f"{whose(event.pasid)}: {event.error.value}", event.error.name)
