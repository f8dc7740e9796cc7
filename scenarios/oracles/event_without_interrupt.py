"""The witness: an event found its queue non-empty, so that no interrupt announced it (smmuv3 §1.6)."""

from __future__ import annotations

from typing import ClassVar

from hw.fault_events import EventQueued


class EventWithoutInterrupt:
    """Reached by the first such event."""

    watches: ClassVar[tuple[type, ...]] = (EventQueued,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: EventQueued) -> None:
        """Look whether it raised the line."""
        self.reached = self.reached or not event.raised
