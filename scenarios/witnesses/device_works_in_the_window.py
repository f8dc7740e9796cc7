"""The witness: the IOMMU decides about a request of the device between the end of translation and unbind (seed 003)."""

from __future__ import annotations

from drivers.events.binding import ContextWritten
from drivers.events.faults import BondEnded
from hw.events.link import DmaLanded, PageRequestQueued, PageRequestRefused, Translated
from hw.vtd.events import AccessAborted, DmaRead

from .witness import EventWitness


class DeviceWorksInTheWindow(EventWitness):
    """Reached by a request of any kind that ends after [2] and before unbind is over.

    Nothing orders the end of a request and those two moments, so one of the equivalent schedules shows it in between.
    """

    watches = (
        ContextWritten,
        BondEnded,
        AccessAborted,
        DmaLanded,
        DmaRead,
        Translated,
        PageRequestQueued,
        PageRequestRefused,
    )

    def __init__(self) -> None:
        self._open = False

    def observe(self, event: object) -> None:
        """The window opens, something ends, the window closes."""
        match event:
            case ContextWritten(valid=valid):
                self._open = not valid
            case BondEnded():
                self._open = False
            case _:
                self.reached = self.reached or self._open
