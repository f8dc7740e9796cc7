"""No IOMMU sets an accessed or dirty bit in a page that is no page table any more (VTD-R31, the second half)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.tables import TableFreed
from hw.events.tables import TableMarked

from .oracle import EventOracle


class NoMarkInAFreedTable(EventOracle):
    """The bit changes a word of the page's next owner, if that word looks like an entry."""

    watches = (TableFreed, TableMarked)

    def __init__(self) -> None:
        self._freed: set[int] = set()

    def observe(self, event: TableFreed | TableMarked) -> None:
        """Freed, then marked."""
        match event:
            case TableFreed(words=words):
                self._freed.update(words)
            case TableMarked(address=address, name=name) if address in self._freed:
                raise Violation(
                    f"a walk sets the accessed bit at {address:#x}, which it takes for a {name}: that page was freed, "
                    "and a word of its next owner has changed",
                    name,
                )
