"""Nobody returns from a CMD_SYNC that is not complete: what it was to guarantee would not hold (smmuv3 §1.5)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.cmdq import SyncReturned
from hw.events.commands import SyncCompleted

from .oracle import EventOracle


class SyncCoversItsBatch(EventOracle):
    """SYNCs are told apart by their number in the queue."""

    watches = (SyncCompleted, SyncReturned)

    def __init__(self) -> None:
        self._complete: set[int] = set()

    def observe(self, event: SyncCompleted | SyncReturned) -> None:
        """The completion has to come before the return."""
        match event:
            case SyncCompleted(number=number):
                self._complete.add(number)
            case SyncReturned(number=number) if number not in self._complete:
                raise Violation(
                    f"a caller returns from CMD_SYNC #{number}, which is not complete: it goes on as if what it "
                    "invalidated were gone",
                    "CMD_SYNC",
                )
