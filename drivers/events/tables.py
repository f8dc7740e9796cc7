"""What the kernel did with pages that were page tables, as typed records (`hw.events` explains recurring fields)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hw.bus import Resource
from hw.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFreed(Event):
    """The page at `page` is no page table any more; `words` are the entries in it that some walk may look at."""

    page: int
    words: Sequence[int]

    def _label(self) -> str:
        return f"free table page {self.page:#x}"

    def _touches(self) -> tuple[Resource, ...]:
        return tuple(("word", word) for word in self.words)
