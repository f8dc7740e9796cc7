"""Bit fields of registers, descriptors and commands, as the tables of smmuv3 §1 and vtd-pcie §2
give them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

WORD_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Field:
    """A named bit range of one 64-bit word."""

    low: int
    width: int
    mask: int = field(init=False, repr=False)
    """The bits of the field, in place."""

    def __post_init__(self) -> None:
        """Compute the mask once: `get` and `put` are on the way of every descriptor fetch."""
        if self.low < 0 or self.width < 1 or self.low + self.width > 64:
            raise ValueError(f"field of {self.width} bits at bit {self.low}: it must lie inside bits 63..0")
        object.__setattr__(self, "mask", ((1 << self.width) - 1) << self.low)

    def get(self, word: int) -> int:
        """The value of the field in `word`."""
        return (word & self.mask) >> self.low

    def put(self, word: int, value: int) -> int:
        """`word` with the field set to `value`, all other bits untouched."""
        if value < 0 or value >> self.width:
            high = self.low + self.width - 1
            raise ValueError(
                f"value {value:#x} for bits [{high}:{self.low}]: allowed are 0..{(1 << self.width) - 1:#x}"
            )
        return (word & ~self.mask) | (value << self.low)


Layout = Sequence[Mapping[str, Field]]
"""One table of named fields for each 64-bit word of a structure."""


def encode_layout(layout: Layout, values: Mapping[str, int]) -> tuple[int, ...]:
    """The words of a structure; fields that `values` does not name are 0."""
    left = dict(values)
    words = []
    for table in layout:
        word = 0
        for name, part in table.items():
            word = part.put(word, left.pop(name, 0))
        words.append(word)
    if left:
        known = sorted(name for table in layout for name in table)
        raise ValueError(f"no field is called {sorted(left)}: the fields are {known}")
    return tuple(words)


def decode_layout(layout: Layout, words: Sequence[int]) -> dict[str, int]:
    """The value of every field of a structure."""
    if len(words) != len(layout):
        raise ValueError(f"structure of {len(words)} words: this layout has {len(layout)}")
    pairs = zip(layout, words, strict=True)
    return {name: part.get(word) for table, word in pairs for name, part in table.items()}


def unnamed_bits(layout: Layout, words: Sequence[int]) -> tuple[int, ...]:
    """The bits of each word that are set and that no field of its table names."""
    return tuple(word & ~sum(part.mask for part in table.values()) for table, word in zip(layout, words, strict=True))
