"""The witness: a device sends an access after it said that it stopped."""

from __future__ import annotations

from typing import ClassVar

from hw.events import DeviceStopped, DmaIssued
from hw.pcie.events import UntranslatedSent


class DeviceGoesOn:
    """Reached by either kind of access; the device itself orders it and its report."""

    watches: ClassVar[tuple[type, ...]] = (DeviceStopped, DmaIssued, UntranslatedSent)

    def __init__(self) -> None:
        self.reached = False
        self._stopped = False

    def observe(self, event: DeviceStopped | DmaIssued | UntranslatedSent) -> None:
        """First the report."""
        if isinstance(event, DeviceStopped):
            self._stopped = True
        else:
            self.reached = self.reached or self._stopped
