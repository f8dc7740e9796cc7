"""Two-level tables: STRTAB_BASE_CFG, L1STD and L1CD (IHI 0070 §6.3, §5.1, §5.3; smmuv3 §1.1 and §1.2).

A first-level descriptor is one word, so it is never torn; but it is cached like an entry, invalid or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from hw.bus import Pasid, PhysAddr, StreamId
from hw.fields import Field
from hw.memory import WORD_BYTES
from hw.smmuv3.evtq import EventId

LOG2SIZE = Field(0, 6)
SPLIT = Field(6, 5)
FMT = Field(16, 2)

Span = Field(0, 5)
StreamL2Ptr = Field(6, 46)

V = Field(0, 1)
ContextL2Ptr = Field(12, 40)

_TWO_LEVEL = 1
_SPLITS = (6, 8, 10)
_LARGEST_SPAN = 11
_64K_MASK = (1 << 16) - 1


class CdTableFormat(IntEnum):
    """STE.S1Fmt; 3 is reserved and taken for LINEAR. Linux uses LINEAR and LEAF_64K."""

    LINEAR = 0
    LEAF_4K = 1
    LEAF_64K = 2

    @property
    def bits(self) -> int:
        """How many bits of a SubstreamID select the CD within a leaf."""
        return (0, 6, 10)[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamTable:
    """What STRTAB_BASE_CFG says: 2^`log2size` StreamIDs; `split` bits of them within a leaf, 0 for a linear table."""

    log2size: int
    split: int = 0

    def encode(self) -> int:
        """The value of the register STRTAB_BASE_CFG."""
        if self.split not in (0, *_SPLITS):
            raise ValueError(f"stream table split {self.split}: allowed are 0 (linear), 6, 8 and 10")
        word = LOG2SIZE.put(0, self.log2size)
        return FMT.put(SPLIT.put(word, self.split), _TWO_LEVEL) if self.split else word

    @classmethod
    def decode(cls, word: int) -> StreamTable:
        """What the SMMU makes of it: a reserved SPLIT is taken for 6, a reserved FMT for linear."""
        split = SPLIT.get(word) if SPLIT.get(word) in _SPLITS else _SPLITS[0]
        return cls(log2size=LOG2SIZE.get(word), split=split if FMT.get(word) == _TWO_LEVEL else 0)

    @property
    def streams(self) -> int:
        """How many StreamIDs it covers."""
        return 1 << self.log2size


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLeaf:
    """The second-level array that a valid L1STD points to."""

    base: PhysAddr
    streams: int


def l1std(leaf: PhysAddr, span: int) -> int:
    """A descriptor for 2^(span-1) STEs at `leaf`; span 0 is invalid."""
    size = 1 << (span + 5)
    if leaf & ~StreamL2Ptr.mask or (span and leaf % size):
        raise ValueError(f"stream table leaf at {leaf:#x}: allowed are multiples of {size:#x} below 2^52")
    return leaf | Span.put(0, span)


def check_l1std(word: int, split: int) -> StreamLeaf | EventId:
    """The leaf, aligned to its size, or C_BAD_STREAMID: Span 0, reserved, or more than `split` allows."""
    span = Span.get(word)
    if span == 0 or span > min(_LARGEST_SPAN, split + 1):
        return EventId.C_BAD_STREAMID
    base = word & StreamL2Ptr.mask & ~((1 << (span + 5)) - 1)
    return StreamLeaf(base=PhysAddr(base), streams=1 << (span - 1))


def l1std_address(table: PhysAddr, sid: StreamId, split: int) -> PhysAddr:
    """Where the L1STD of a stream lies."""
    return PhysAddr(table + (sid >> split) * WORD_BYTES)


def l1cd(leaf: PhysAddr, form: CdTableFormat = CdTableFormat.LEAF_64K) -> int:
    """A valid descriptor for the CD table leaf at `leaf`."""
    size = 1 << (form.bits + 6)
    if leaf & ~ContextL2Ptr.mask or leaf % size:
        raise ValueError(f"CD table leaf at {leaf:#x}: allowed are multiples of {size:#x} below 2^52")
    return leaf | V.mask


def check_l1cd(word: int, form: CdTableFormat) -> PhysAddr | EventId:
    """Where the leaf lies, or C_BAD_SUBSTREAMID if V=0."""
    if not word & V.mask:
        return EventId.C_BAD_SUBSTREAMID
    leaf = word & ContextL2Ptr.mask
    return PhysAddr(leaf & ~_64K_MASK if form is CdTableFormat.LEAF_64K else leaf)


def l1cd_address(table: PhysAddr, ssid: Pasid, form: CdTableFormat) -> PhysAddr:
    """Where the L1CD of a substream lies."""
    return PhysAddr(table + (ssid >> form.bits) * WORD_BYTES)
