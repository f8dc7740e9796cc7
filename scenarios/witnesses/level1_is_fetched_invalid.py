"""The witness: the SMMU fetches a first-level CD descriptor that is still invalid, and later the device gets through or
is refused."""

from __future__ import annotations

from drivers.events.attach import AccessLanded, AccessRefused
from hw.events.fetched import EntryFetched

from .witness import EventWitness


class Level1IsFetchedInvalid(EventWitness):
    """Reached when an access ends after such a fetch."""

    watches = (EntryFetched, AccessLanded, AccessRefused)

    def __init__(self) -> None:
        self._fetched = False

    def observe(self, event: EntryFetched | AccessLanded | AccessRefused) -> None:
        """The descriptor has to be fetched first, then the access has to end."""
        if isinstance(event, EntryFetched):
            self._fetched = self._fetched or (event.entry.startswith("L1CD") and not event.valid)
        else:
            self.reached = self.reached or self._fetched
