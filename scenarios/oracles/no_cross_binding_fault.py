"""A fault that was accepted under one binding of a PASID is never resolved under another (smmuv3 I1; seed 000)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import FaultResolved
from hw.events.faults import EventQueued
from hw.events.link import PageRequestQueued

from .oracle import EventOracle


class NoCrossBindingFault(EventOracle):
    """Resolved for the binding that owned the PASID when the request was queued, or for nobody."""

    watches = (PageRequestQueued, EventQueued, FaultResolved)

    def __init__(self) -> None:
        self._accepted: dict[int, int] = {}

    def observe(self, event: PageRequestQueued | EventQueued | FaultResolved) -> None:
        """Remember the binding at the door, compare it at the look-up."""
        match event:
            case PageRequestQueued(number=number, binding=binding) | EventQueued(number=number, binding=binding):
                self._accepted[number] = binding
            case FaultResolved(number=number, binding=binding) if binding not in (0, self._accepted[number]):
                raise Violation(
                    f"request #{number} was queued for P{event.pasid} under bind{self._accepted[number]} and is "
                    f"handled for {event.mm} under bind{binding}: another process takes the fault",
                    f"P{event.pasid}",
                )
