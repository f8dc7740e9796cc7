"""When unbind returns, no fault of its binding lies in the EVTQ, the work queue or with a worker (smmuv3 I8; §3.5)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import FaultSettled, UnbindReturned
from hw.events.faults import EventQueued

from .oracle import EventOracle


class NothingLeftWhenUnbindReturns(EventOracle):
    """Every stall that was recorded under the binding is answered and forgotten."""

    watches = (EventQueued, FaultSettled, UnbindReturned)

    def __init__(self) -> None:
        self._open: dict[int, int] = {}

    def observe(self, event: EventQueued | FaultSettled | UnbindReturned) -> None:
        """In when recorded, out when settled."""
        match event:
            case EventQueued(number=number, stall=True, binding=binding):
                self._open[number] = binding
            case FaultSettled(number=number):
                self._open.pop(number, None)
            case UnbindReturned(pasid=pasid, binding=binding):
                for number in [number for number, owner in self._open.items() if owner == binding]:
                    raise Violation(
                        f"unbind of bind{binding} of P{pasid} returns while fault #{number} is still between EVTQ and "
                        "worker",
                        f"P{pasid}",
                    )
