"""Every stall is decided exactly once, by a RESUME that was meant for it or by STALL_TERM (smmuv3 I4; §2.5)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import Resumed
from hw.events.faults import DmaStalled, EventQueued, StallDecided

from .oracle import EventOracle


class EveryStallIsResumed(EventOracle):
    """Followed by numbers, as STAGs are reused: stall, EVTQ entry, command, decision."""

    watches = (EventQueued, DmaStalled, Resumed, StallDecided)

    def __init__(self) -> None:
        self._recorded = -1
        self._stall_of: dict[int, int] = {}
        self._meant: dict[int, int] = {}
        self._open: dict[int, None] = {}

    def observe(self, event: EventQueued | DmaStalled | Resumed | StallDecided) -> None:
        """Follow each stall to its end."""
        match event:
            case EventQueued(number=number):
                self._recorded = number
            case DmaStalled(stall=stall):
                self._stall_of[self._recorded] = stall
                self._open[stall] = None
            case Resumed(number=number, command=command):
                self._meant[command] = self._stall_of[number]
            case StallDecided(stall=stall, command=command, stag=stag):
                meant = self._meant.get(command, stall)  # a STALL_TERM is meant for whatever it meets
                if stall != meant:
                    found = f"stall {stall}" if stall >= 0 else "nothing"
                    raise Violation(
                        f"RESUME of STAG {stag} was meant for stall {meant} and meets {found}", f"STAG {stag}"
                    )
                self._open.pop(stall, None)

    def at_quiescence(self) -> None:
        """No STAG is reserved."""
        for stall in self._open:
            raise Violation(f"stall {stall} was never decided: its STAG is lost", "open")
