"""Ring arithmetic of VT-d's two queues (vtd-pcie §2.3 and §2.4): head and tail are byte offsets without a
wrap bit, so that one slot always stays empty."""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES

ENTRY_WORDS = 4
ENTRY_BYTES = ENTRY_WORDS * WORD_BYTES


class ByteRing:
    """Where the 32-byte entries of one queue lie, and what its two pointers say.

    Real queues are whole pages, 128 entries and more; here any power of two will do, so that wrap and overflow happen
    in every run.
    """

    __slots__ = ("_base", "_mask", "entries")

    def __init__(self, base: PhysAddr, entries: int) -> None:
        """Attach to `entries` slots at `base`."""
        if entries < 2 or entries & (entries - 1):
            raise ValueError(f"queue of {entries} entries: allowed are powers of two from 2, as one slot stays empty")
        self.entries = entries
        self._base = base
        self._mask = (entries - 1) * ENTRY_BYTES

    @classmethod
    def of_order(cls, base: PhysAddr, order: int) -> ByteRing:
        """The ring that PQA or IQA describes: 2^`order` pages."""
        return cls(base, 1 << (order + 7))

    def valid(self, pointer: int) -> bool:
        """Whether a pointer that software wrote selects an entry: aligned, and inside the ring."""
        return not pointer & ~self._mask

    def index(self, pointer: int) -> int:
        """The entry number that a pointer selects."""
        return (pointer & self._mask) // ENTRY_BYTES

    def slot(self, pointer: int) -> PhysAddr:
        """The address of the entry that a pointer selects; bits outside the ring are not looked at."""
        return PhysAddr(self._base + (pointer & self._mask))

    def next(self, pointer: int) -> int:
        """The pointer one entry further."""
        return (pointer + ENTRY_BYTES) & self._mask

    def empty(self, head: int, tail: int) -> bool:
        """Whether nothing lies between the pointers."""
        return not (head ^ tail) & self._mask

    def full(self, head: int, tail: int) -> bool:
        """Whether one more entry would make the ring look empty."""
        return self.next(tail) == head & self._mask

    def used(self, head: int, tail: int) -> int:
        """How many entries lie between head and tail."""
        return ((tail - head) & self._mask) // ENTRY_BYTES
