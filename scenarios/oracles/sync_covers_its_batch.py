"""Nobody returns from a CMD_SYNC that is not complete: what it was to guarantee would not hold (smmuv3 §1.5)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.cmdq_events import SyncReturned
from hw.command_events import SyncCompleted


class SyncCoversItsBatch:
    """SYNCs are told apart by their number in the queue."""

    watches: ClassVar[tuple[type, ...]] = (SyncCompleted, SyncReturned)

    def __init__(self) -> None:
        self._complete: set[int] = set()

    def observe(self, event: SyncCompleted | SyncReturned) -> None:
        """Completion, then return."""
        match event:
            case SyncCompleted(number=number):
                self._complete.add(number)
            case SyncReturned(number=number) if number not in self._complete:
                raise Violation(
                    f"a caller returns from CMD_SYNC #{number}, which is not complete: it goes on as if what it "
                    "invalidated were gone",
                    "CMD_SYNC",
                )

    def at_quiescence(self) -> None:
        """Nothing more."""
