"""What STE and CD have in common: 64 bytes that the SMMU fetches as independent words (smmuv3.md section 1.3), so that
an entry can be torn between two of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hw.bus import Bus, PhysAddr
from hw.memory import WORD_BYTES

ENTRY_QWORDS = 8
ENTRY_BYTES = ENTRY_QWORDS * WORD_BYTES

Qwords = tuple[int, ...]
"""The eight words of an entry; words that were not fetched are 0."""


Seen = Callable[[Qwords], None]
"""Told what a fetch read, in the step of its last read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFetched:
    """The SMMU read an STE or CD and will act on it; `meaning` is what the words it read say together."""

    entry: str
    valid: bool
    meaning: str
    target: str = "smmu"

    @property
    def label(self) -> str:
        """Arrow text."""
        return f"fetch {self.entry}: {self.meaning}"


async def fetch(
    bus: Bus, entry: PhysAddr, name: str, order: Sequence[int], *, any_order: bool = False, seen: Seen | None = None
) -> Qwords:
    """Read the words of an entry that `order` lists, one step each; `name` is like "CD[1]".

    `any_order` lets hardware choose which word comes next. Words that the SMMU does not act on are not read: nobody
    could tell, and each would multiply the interleavings.
    """
    words = [0] * ENTRY_QWORDS
    left = list(order)
    while left:
        place = await bus.choose(f"next word of {name}", len(left)) if any_order and len(left) > 1 else 0
        number = left.pop(place)
        words[number] = await bus.load(PhysAddr(entry + number * WORD_BYTES), f"{name}.q{number}")
    if seen is not None:
        seen(tuple(words))
    return tuple(words)
