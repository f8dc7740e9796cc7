"""The witness: a walk comes to the page of page tables that somebody frees in the same run."""

from __future__ import annotations

from drivers.events.tables import TableFreed
from hw.events.tables import TableRead

from .witness import EventWitness


class WalkUsesATable(EventWitness):
    """Reached by one look at an entry of the page, and its end, in whatever order."""

    watches = (TableFreed, TableRead)

    def __init__(self) -> None:
        self._read: set[int] = set()
        self._freed: set[int] = set()

    def observe(self, event: TableFreed | TableRead) -> None:
        """One of each."""
        match event:
            case TableFreed(words=words):
                self._freed.update(words)
            case TableRead(address=address):
                self._read.add(address)
        self.reached = not self._read.isdisjoint(self._freed)
