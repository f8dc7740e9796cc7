"""The witness: an event found its queue non-empty, so that no interrupt announced it (smmuv3 §1.6)."""

from __future__ import annotations

from hw.events.faults import EventQueued

from .witness import EventWitness


class EventWithoutInterrupt(EventWitness):
    """Reached by the first such event."""

    watches = (EventQueued,)

    def observe(self, event: EventQueued) -> None:
        """Look whether the event raised the interrupt line."""
        self.reached = self.reached or not event.raised
