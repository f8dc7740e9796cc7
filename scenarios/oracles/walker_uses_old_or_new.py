"""Hardware never acts on a valid entry that is neither the old nor the new one (smmuv3 I5; vtd-pcie I10)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from hw.events.fetched import EntryFetched

from .oracle import EventOracle


class WalkerUsesOldOrNew(EventOracle):
    """What it fetched of `entry` with V=1 means one of `allowed`."""

    watches = (EntryFetched,)

    def __init__(self, entry: str, allowed: frozenset[str]) -> None:
        self._entry = entry
        self._allowed = allowed

    def observe(self, event: EntryFetched) -> None:
        """Compare the meanings."""
        if event.entry == self._entry and event.valid and event.meaning not in self._allowed:
            raise Violation(
                f"hardware acts on {event.entry} as `{event.meaning}`; software only ever meant "
                f"{' or '.join(f'`{text}`' for text in sorted(self._allowed))}",
                event.entry,
            )
