"""What STE and CD have in common: 64 bytes that the SMMU fetches as eight independent words (smmuv3 §1.3),
so that an entry can be torn between any of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hw.bus import Bus, PhysAddr, Resource
from hw.fields import Layout
from hw.memory import WORD_BYTES

ENTRY_QWORDS = 8
ENTRY_BYTES = ENTRY_QWORDS * WORD_BYTES

Qwords = tuple[int, ...]
"""The eight words of an entry."""

Seen = Callable[[Qwords], None]
"""Told what a fetch read, in the step of its end."""

Pieces = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFetched:
    """The SMMU read a configuration structure and will act on it; `meaning` is what its words say together."""

    entry: str
    valid: bool
    meaning: str
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"fetch {self.entry}: {self.meaning}"


def fielded(layout: Layout) -> Pieces:
    """The words that have any field, each a read of its own.

    Software encodes entries by field, so it never stores to the others and the time of their reads is unobservable.
    """
    return tuple((number,) for number, table in enumerate(layout) if table)


def check_fields(layout: Layout, words: Qwords, name: str) -> None:
    """Refuse an entry with bits in a word that no field names; ValueError."""
    for number, table in enumerate(layout):
        if words[number] and not table:
            raise ValueError(f"{name} with q{number}={words[number]:#x}: no field lies in that word, so it must be 0")


async def fetch(
    bus: Bus, entry: PhysAddr, name: str, pieces: Pieces, seen: Seen | None = None, then: Sequence[Resource] = ()
) -> Qwords:
    """Read all eight words of an entry, each of `pieces` when hardware likes; `name` is like "CD[1]".

    `then` is what the caller looks at once it knows them.
    """
    words = tuple(await bus.load_apart(entry, ENTRY_QWORDS, pieces, name, then))
    if seen is not None:
        seen(words)
    return words
