"""What STE and CD have in common: 64 bytes that the SMMU fetches as independent words (smmuv3.md section 1.3), so that
an entry can be torn between two of them."""

from __future__ import annotations

from collections.abc import Sequence

from hw.bus import Bus, PhysAddr
from hw.memory import WORD_BYTES

ENTRY_QWORDS = 8
ENTRY_BYTES = ENTRY_QWORDS * WORD_BYTES

Qwords = tuple[int, ...]
"""The eight words of an entry; words that were not fetched are 0."""


async def fetch(bus: Bus, entry: PhysAddr, name: str, order: Sequence[int]) -> Qwords:
    """Read the words of an entry that `order` lists, one step each; `name` is like "CD[1]"."""
    words = [0] * ENTRY_QWORDS
    for number in order:
        words[number] = await bus.load(PhysAddr(entry + number * WORD_BYTES), f"{name}.q{number}")
    return tuple(words)
