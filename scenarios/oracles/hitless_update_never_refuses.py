"""While an entry changes that need not become invalid, the SMMU never finds it so (smmuv3 §3.2; SMMU-R25)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.fetched import EntryFetched

from .oracle import EventOracle


class HitlessUpdateNeverRefuses(EventOracle):
    """No fetch of `entry` sees V=0: a live stream would get C_BAD_STE or C_BAD_CD."""

    watches = (EntryFetched,)

    def __init__(self, entry: str) -> None:
        self._entry = entry

    def observe(self, event: EntryFetched) -> None:
        """Look at V of what was fetched."""
        if event.entry == self._entry and not event.valid:
            raise Violation(
                f"{event.entry} has V=0 in the middle of a change that one store could make: "
                "the live stream is refused",
                event.entry,
            )
