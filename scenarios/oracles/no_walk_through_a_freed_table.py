"""No IOMMU takes a word of a page for a page-table entry that is no page table any more (VTD-R31)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.tables import TableFreed
from hw.events.tables import TableRead

from .oracle import EventOracle


class NoWalkThroughAFreedTable(EventOracle):
    """Whoever gets the page decides by its contents where the walk goes next."""

    watches = (TableFreed, TableRead)

    def __init__(self) -> None:
        self._freed: set[int] = set()

    def observe(self, event: TableFreed | TableRead) -> None:
        """Freed, then read."""
        match event:
            case TableFreed(words=words):
                self._freed.update(words)
            case TableRead(address=address, name=name, entry=entry) if address in self._freed:
                raise Violation(
                    f"a walk takes {entry:#x} at {address:#x} for a {name}: that page was freed, and its next owner "
                    "decides where the walk goes on",
                    name,
                )
