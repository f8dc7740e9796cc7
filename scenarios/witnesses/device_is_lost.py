"""The witness: the device is gone, or in reset."""

from __future__ import annotations

from typing import ClassVar

from hw.pcie.events import DeviceLost


class DeviceIsLost:
    """Reached when it happens."""

    watches: ClassVar[tuple[type, ...]] = (DeviceLost,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: DeviceLost) -> None:
        """Once is enough."""
        self.reached = True
