"""The witness: a page request sits in the PRIQ while its PASID is taken away."""

from __future__ import annotations

from drivers.events.binding import FaultDropped, FaultResolved, TeardownBegun
from hw.events.link import PageRequestQueued

from .witness import EventWitness


class RequestQueuedWhileUnbound(EventWitness):
    """Reached when tear-down begins after a request was queued and before it was looked up.

    Nothing orders the moment when software takes the entry before the first step of tear-down, so one of the equivalent
    schedules has the entry in the PRIQ at that moment.
    """

    watches = (PageRequestQueued, FaultResolved, FaultDropped, TeardownBegun)

    def __init__(self) -> None:
        self._queued: dict[int, int] = {}

    def observe(self, event: PageRequestQueued | FaultResolved | FaultDropped | TeardownBegun) -> None:
        """Follow which entries are queued until the tear-down begins."""
        match event:
            case PageRequestQueued(number=number, pasid=pasid, marker=False):
                self._queued[number] = pasid
            case FaultResolved(number=number) | FaultDropped(number=number):
                self._queued.pop(number, None)
            case TeardownBegun(pasid=pasid) if pasid in self._queued.values():
                self.reached = True
