"""When unbind is over, no response to a page request of its binding leaves for the device (vtd-pcie I4; VTD-R25)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import Answered
from drivers.events.faults import BondEnded
from hw.events.link import PageRequestQueued, ResponseSent

from .oracle import EventOracle


class NoResponseAfterUnbind(EventOracle):
    """The next owner of the PASID may have a request with the same PRGIndex under way."""

    watches = (PageRequestQueued, Answered, BondEnded, ResponseSent)

    def __init__(self) -> None:
        self._binding: dict[int, int] = {}
        self._commands: dict[int, int] = {}
        self._over: set[int] = set()

    def observe(self, event: PageRequestQueued | Answered | BondEnded | ResponseSent) -> None:
        """From the queue by way of the command to the link."""
        match event:
            case PageRequestQueued(number=number, binding=binding):
                self._binding[number] = binding
            case Answered(number=number, command=command):
                self._commands[command] = self._binding[number]
            case BondEnded(binding=binding):
                self._over.add(binding)
            case ResponseSent(command=command) if self._commands.get(command) in self._over:
                raise Violation(
                    f"the response for g{event.prgi} of P{event.pasid} belongs to bind{self._commands[command]} and "
                    "leaves when that is over: unbind did not wait for it",
                    f"P{event.pasid}",
                )
