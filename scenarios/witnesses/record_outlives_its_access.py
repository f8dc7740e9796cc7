"""The witness: an access ends by an early retry while its stall record is still in the EVTQ or with software."""

from __future__ import annotations

from drivers.events.faults import FaultSettled
from hw.events.faults import DmaEnded, EventQueued

from .witness import EventWitness


class RecordOutlivesItsAccess(EventWitness):
    """Reached when an access ends early before the record's fault is settled."""

    watches = (EventQueued, DmaEnded, FaultSettled)

    def __init__(self) -> None:
        self._open: dict[int, None] = {}

    def observe(self, event: EventQueued | DmaEnded | FaultSettled) -> None:
        """A record has to be open when an access ends early."""
        match event:
            case EventQueued(number=number, stall=True):
                self._open[number] = None
            case DmaEnded(early=early):
                self.reached = self.reached or (early and bool(self._open))
            case FaultSettled(number=number):
                self._open.pop(number, None)
