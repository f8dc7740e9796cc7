"""What an IOMMU read of a structure in memory before it acted on it, as a typed record."""

from __future__ import annotations

from dataclasses import dataclass

from hw.events.event import Arrow


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFetched(Arrow):
    """The IOMMU read a configuration structure and will act on it; `meaning` is what its words say together."""

    entry: str
    valid: bool
    meaning: str
    target: str

    def _label(self) -> str:
        return f"fetch {self.entry}: {self.meaning}"
