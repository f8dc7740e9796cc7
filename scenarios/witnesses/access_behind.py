"""The witness: a device sends an access behind an event that should be, or seem to be, the end of that."""

from __future__ import annotations

from hw.events.link import DeviceStopped, DmaIssued
from hw.pcie.events import DeviceLost, UntranslatedSent

from .witness import EventWitness

NAMES: dict[type, str] = {DeviceStopped: "device-goes-on", DeviceLost: "device-works-again"}
"""After it said that it stopped; after a reset, which empties the ATC, so that it asked for its translation again."""


class AccessBehind(EventWitness):
    """Reached by either kind of access; the device itself orders it and the event."""

    def __init__(self, end: type[DeviceStopped | DeviceLost]) -> None:
        self.name = NAMES[end]
        self.watches = (end, DmaIssued, UntranslatedSent)
        self._ended = False

    def observe(self, event: DeviceStopped | DeviceLost | DmaIssued | UntranslatedSent) -> None:
        """The end has to come first."""
        if isinstance(event, DeviceStopped | DeviceLost):
            self._ended = True
        else:
            self.reached = self.reached or self._ended
