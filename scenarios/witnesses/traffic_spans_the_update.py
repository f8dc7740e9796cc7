"""The witness: hardware fetches the entry as it was, and later as it is to be."""

from __future__ import annotations

from hw.events.fetched import EntryFetched

from .witness import EventWitness


class TrafficSpansTheUpdate(EventWitness):
    """Reached when one run has both fetches, so that the stream was live all along."""

    watches = (EntryFetched,)

    def __init__(self, entry: str, old: str, new: str) -> None:
        self._wanted = [(entry, old), (entry, new)]

    def observe(self, event: EntryFetched) -> None:
        """The old entry has to be fetched first, then the new one."""
        if self._wanted and (event.entry, event.meaning) == self._wanted[0]:
            del self._wanted[0]
        self.reached = not self._wanted
