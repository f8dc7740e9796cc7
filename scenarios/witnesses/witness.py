"""What all witnesses share: at first none of them is reached, and many are reached by any event that they watch."""

from __future__ import annotations


class EventWitness:
    """What some run must reach, told by its events: `observe` sets `reached`."""

    watches: tuple[type, ...]
    """The types of events that `observe` is given."""
    reached = False


class FirstEvent(EventWitness):
    """Reached by the first event that it is given."""

    def observe(self, event: object) -> None:
        """Any of them will do."""
        self.reached = True
