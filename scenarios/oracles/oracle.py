"""What all oracles share: which events they are given, and that a world at rest owes most of them nothing."""

from __future__ import annotations

from typing import ClassVar


class EventOracle:
    """A property of events: `observe` raises Violation for the event that breaks it."""

    watches: ClassVar[tuple[type, ...]]
    """The types of events that `observe` is given."""

    def at_quiescence(self) -> None:
        """Nothing is owed; an oracle that waits for something says here that it has not come."""
