"""What an IOMMU did to page tables in memory while it walked them, as typed records, where a world asks for them."""

from __future__ import annotations

from dataclasses import dataclass

from ..bus import Resource
from .event import Arrow


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRead(Arrow):
    """A walk took the word at `address` for an entry (`name`) of a table."""

    address: int
    name: str
    entry: int
    target: str

    def _label(self) -> str:
        return f"walk reads {self.name}"

    def _touches(self) -> tuple[Resource, ...]:
        return (("word", self.address),)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMarked(Arrow):
    """A walk set the accessed or dirty bit of what it took for an entry."""

    address: int
    name: str
    target: str

    def _label(self) -> str:
        return f"walk sets A of {self.name}"

    def _touches(self) -> tuple[Resource, ...]:
        return (("word", self.address),)
