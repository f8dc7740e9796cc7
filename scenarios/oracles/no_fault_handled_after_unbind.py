"""When unbind is over, no page request that was queued for its binding is handled any more (vtd-pcie I4; L10)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import FaultResolved
from drivers.events.faults import BondEnded
from hw.events.link import PageRequestQueued

from .oracle import EventOracle


class NoFaultHandledAfterUnbind(EventOracle):
    """Even an Invalid for nobody comes too late: the device may use its tag for something else by now."""

    watches = (PageRequestQueued, BondEnded, FaultResolved)

    def __init__(self) -> None:
        self._binding: dict[int, int] = {}
        self._over: set[int] = set()

    def observe(self, event: PageRequestQueued | BondEnded | FaultResolved) -> None:
        """Remember the binding at the door."""
        match event:
            case PageRequestQueued(number=number, binding=binding):
                self._binding[number] = binding
            case BondEnded(binding=binding):
                self._over.add(binding)
            case FaultResolved(number=number) if self._binding[number] in self._over:
                raise Violation(
                    f"request #{number} of P{event.pasid} was queued under bind{self._binding[number]} and is handled "
                    "when that is over: unbind did not wait for it",
                    f"P{event.pasid}",
                )
