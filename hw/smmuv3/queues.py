"""Ring arithmetic of the SMMU's queues and the part that EVTQ and PRIQ have in common (smmuv3 §1.6): an
index, a wrap bit above it, and in bit 31 OVFLG (PROD) or OVACKFLG (CONS)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES, Memory

OVERFLOW_FLAG = 1 << 31
"""OVFLG in a PROD register, OVACKFLG in a CONS register."""
MAX_LOG2SIZE = 19


class Ring:
    """Where the entries of one queue lie, and what its two pointers say."""

    __slots__ = (
        "_base",
        "_entry_bytes",
        "_index_mask",
        "_keep_mask",
        "_pointer_mask",
        "entries",
        "entry_words",
        "log2size",
    )

    def __init__(self, base: PhysAddr, log2size: int, entry_words: int) -> None:
        """Precompute the masks: the arithmetic below runs several times a step."""
        if not 0 <= log2size <= MAX_LOG2SIZE:
            raise ValueError(f"queue of 2^{log2size} entries: allowed are 2^0..2^{MAX_LOG2SIZE}")
        if entry_words < 1:
            raise ValueError(f"queue entry of {entry_words} words: at least 1 is needed")
        self.log2size = log2size
        self.entries = 1 << log2size
        self.entry_words = entry_words
        self._base = base
        self._entry_bytes = entry_words * WORD_BYTES
        self._index_mask = self.entries - 1
        self._pointer_mask = 2 * self.entries - 1
        self._keep_mask = ~self._pointer_mask

    def index(self, pointer: int) -> int:
        """The entry number that a pointer selects."""
        return pointer & self._index_mask

    def slot(self, pointer: int) -> PhysAddr:
        """The address of the entry that a pointer selects."""
        return PhysAddr(self._base + (pointer & self._index_mask) * self._entry_bytes)

    def next(self, pointer: int) -> int:
        """The pointer one entry further; bits that are neither index nor wrap (OVFLG, ERR) stay."""
        return (pointer & self._keep_mask) | ((pointer + 1) & self._pointer_mask)

    def empty(self, prod: int, cons: int) -> bool:
        """Whether the queue is empty: index and wrap are equal."""
        return not (prod ^ cons) & self._pointer_mask

    def full(self, prod: int, cons: int) -> bool:
        """Whether the queue is full: the indices are equal and the wraps differ."""
        return (prod ^ cons) & self._pointer_mask == self.entries

    def used(self, prod: int, cons: int) -> int:
        """How many entries lie between the consumer and the producer."""
        return (prod - cons) & self._pointer_mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The entry lies in the queue; an interrupt is raised only if the queue `was_empty`."""

    was_empty: bool
    slot: PhysAddr


class DropReason(Enum):
    """Why an entry never reached the queue."""

    FULL = "the queue is full"
    OVERFLOW_PENDING = "an overflow is not acknowledged"
    DISABLED = "the queue is disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """The entry is lost, and nobody is told but by OVFLG."""

    reason: DropReason


class OutputQueue:
    """A queue that the SMMU produces; PROD and CONS are words in memory, as software sees them."""

    __slots__ = ("cons_register", "memory", "prod_register", "ring")

    def __init__(self, memory: Memory, ring: Ring, prod_register: PhysAddr, cons_register: PhysAddr) -> None:
        """Attach to a ring and its registers; nothing is written."""
        self.memory = memory
        self.ring = ring
        self.prod_register = prod_register
        self.cons_register = cons_register

    def pointers(self) -> tuple[int, int]:
        """PROD and CONS as they are now."""
        return self.memory.read(self.prod_register), self.memory.read(self.cons_register)

    def push(self, words: Sequence[int], prod: int, cons: int) -> Accepted:
        """Write an entry, then advance PROD: the entry is visible before the pointer that announces it."""
        if len(words) != self.ring.entry_words:
            raise ValueError(f"queue entry of {len(words)} words: this queue has {self.ring.entry_words}")
        slot = self.ring.slot(prod)
        for offset, word in enumerate(words):
            self.memory.write(PhysAddr(slot + offset * WORD_BYTES), word)
        self.memory.write(self.prod_register, self.ring.next(prod))
        return Accepted(was_empty=self.ring.empty(prod, cons), slot=slot)

    def signal_overflow(self, prod: int, cons: int) -> None:
        """Toggle OVFLG, unless an overflow is pending already: a second toggle would take the first back."""
        if not overflow_pending(prod, cons):
            self.memory.write(self.prod_register, prod ^ OVERFLOW_FLAG)


def overflow_pending(prod: int, cons: int) -> bool:
    """Whether software has yet to acknowledge an overflow: OVFLG differs from OVACKFLG."""
    return bool((prod ^ cons) & OVERFLOW_FLAG)
