"""When all is quiet no entry lies in the event queue: a stall whose record nobody takes hangs (smmuv3 I9; SMMU-R01)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import EventTaken
from hw.events.faults import EventQueued

from .oracle import EventOracle


class EveryEventIsTaken(EventOracle):
    """As many entries are taken as were queued."""

    watches = (EventQueued, EventTaken)

    def __init__(self) -> None:
        self._waiting: dict[int, EventQueued] = {}

    def observe(self, event: EventQueued | EventTaken) -> None:
        """An entry comes in at one end of the queue and goes out at the other."""
        match event:
            case EventQueued(number=number):
                self._waiting[number] = event
            case EventTaken(number=number):
                del self._waiting[number]

    def at_quiescence(self) -> None:
        """No entry waits any more."""
        for number, event in self._waiting.items():
            raise Violation(
                f"EVTQ #{number} waits for ever: it came {'with an' if event.raised else 'without'} interrupt, and "
                "whoever emptied the queue did not look again",
                "EVTQ",
            )
