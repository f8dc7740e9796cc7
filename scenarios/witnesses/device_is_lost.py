"""The witness: the device is gone, or in reset."""

from __future__ import annotations

from hw.pcie.events import DeviceLost

from .witness import FirstEvent


class DeviceIsLost(FirstEvent):
    """Reached by the event that says so."""

    watches = (DeviceLost,)
