"""What the kernel did with pages that were page tables, as typed records (`hw.events` explains recurring fields)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw.bus import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFreed:
    """The page at `page` is no page table any more; `words` are the entries in it that some walk may look at."""

    page: int
    words: Sequence[int]

    @property
    def label(self) -> str:
        """Local action text."""
        return f"free table page {self.page:#x}"

    @property
    def touches(self) -> tuple[Resource, ...]:
        """Those words: they mean something else from here on."""
        return tuple(("word", word) for word in self.words)
