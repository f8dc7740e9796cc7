"""When all is quiet no overflow is left unacknowledged: the queue would refuse every request from then on (SMMU-R02,
VTD-R03)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.faults import OverflowAcknowledged
from hw.events.faults import EventLost
from hw.events.link import PageRequestRefused

from .oracle import EventOracle


class EveryOverflowIsAcknowledged(EventOracle):
    """After the last entry that a queue refused, software writes OVACKFLG (VT-d: clears PRO) where hardware sees it.

    A refusal reads the register that an acknowledgement writes: the order of the two is always observed.
    """

    watches = (PageRequestRefused, EventLost, OverflowAcknowledged)

    def __init__(self) -> None:
        self._refused: dict[str, int] = {}

    def observe(self, event: PageRequestRefused | EventLost | OverflowAcknowledged) -> None:
        """Count refusals since the last acknowledgement."""
        match event:
            case OverflowAcknowledged(queue=queue):
                self._refused.pop(queue, None)
            case _:
                queue = "EVTQ" if isinstance(event, EventLost) else event.queue
                self._refused[queue] = self._refused.get(queue, 0) + 1

    def at_quiescence(self) -> None:
        """No queue is left in overflow."""
        for queue, refused in self._refused.items():
            raise Violation(
                f"{queue} has refused {refused} entries and nobody acknowledged the overflow: a queue of page requests "
                "takes none any more, and answers each Last with a Success that brings no page",
                queue,
            )
