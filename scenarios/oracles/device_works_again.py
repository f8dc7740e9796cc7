"""The witness: a device that was in reset sends a translated write."""

from __future__ import annotations

from typing import ClassVar

from hw.events import DmaIssued
from hw.pcie.events import DeviceLost


class DeviceWorksAgain:
    """Reached by a write behind the loss: the reset empties the ATC, so it has asked for the translation again."""

    watches: ClassVar[tuple[type, ...]] = (DeviceLost, DmaIssued)

    def __init__(self) -> None:
        self.reached = False
        self._lost = False

    def observe(self, event: DeviceLost | DmaIssued) -> None:
        """First the loss."""
        if isinstance(event, DeviceLost):
            self._lost = True
        else:
            self.reached = self.reached or self._lost
