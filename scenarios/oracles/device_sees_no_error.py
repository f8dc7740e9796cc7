"""No function meets an error of the host's making: no UR, Completer Abort or refused page (vtd-pcie §1.2, L7)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from hw.pcie.events import DeviceErrorSeen


class DeviceSeesNoError:
    """What the function does is right, so an error is the fault of whoever took its translation away."""

    watches: ClassVar[tuple[type, ...]] = (DeviceErrorSeen,)

    def observe(self, event: DeviceErrorSeen) -> None:
        """The first is one too many."""
        raise Violation(f"P{event.pasid}: {event.error.value}", event.error.name)

    def at_quiescence(self) -> None:
        """Nothing more."""
