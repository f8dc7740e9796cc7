"""The PASID directory and the 64-byte PASID entries (vtd-pcie §2.1), which hardware may fetch in pieces, so
that an entry can be torn between two of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import NewType

from hw.bus import Bus, Pasid, PhysAddr
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import WORD_BYTES, BusError
from hw.vtd.faults import Denial, FaultReason

Did = NewType("Did", int)
"""Domain ID, 16 bits: the tag of IOTLB and PASID-cache entries that is not the PASID."""
FLPT_DEFAULT_DID = Did(1)
"""The one DID that Linux gives to every SVA entry: between processes only the PASID separates."""

ENTRY_QWORDS = 8
ENTRY_BYTES = ENTRY_QWORDS * WORD_BYTES
TABLE_ENTRIES = 64
_ACTED_ON = 3
"""Hardware acts on words 0 to 2; the others are not read: nobody could tell, and each would multiply the
interleavings."""

P = Field(0, 1)
FPD = Field(1, 1)
AW = Field(2, 3)
SLEE = Field(5, 1)
PGTT = Field(6, 3)
SLADE = Field(9, 1)
SLPTPTR = Field(12, 52)

DID = Field(0, 16)
PWSNP = Field(23, 1)
PGSNP = Field(24, 1)

SRE = Field(0, 1)
ERE = Field(1, 1)
FLPM = Field(2, 2)
WPE = Field(4, 1)
NXE = Field(5, 1)
SMEP = Field(6, 1)
EAFE = Field(7, 1)
FLPTPTR = Field(12, 52)

LAYOUT: tuple[Mapping[str, Field], ...] = (
    {"P": P, "FPD": FPD, "AW": AW, "SLEE": SLEE, "PGTT": PGTT, "SLADE": SLADE, "SLPTPTR": SLPTPTR},
    {"DID": DID, "PWSNP": PWSNP, "PGSNP": PGSNP},
    {"SRE": SRE, "ERE": ERE, "FLPM": FLPM, "WPE": WPE, "NXE": NXE, "SMEP": SMEP, "EAFE": EAFE, "FLPTPTR": FLPTPTR},
    {},
    {},
    {},
    {},
    {},
)
"""Bit 64*n + b of vtd-pcie §2.1 is bit b of word n. SLEE, SLADE, ERE and SMEP are not in it ([K]): they are named
because an entry that sets them must not count as one with reserved bits set."""
_RESERVED = tuple(~sum(field.mask for field in table.values()) for table in LAYOUT[:_ACTED_ON])

DIRECTORY_P = Field(0, 1)
DIRECTORY_FPD = Field(1, 1)
SMPTBLPTR = Field(12, 52)
_DIRECTORY_RESERVED = ~(DIRECTORY_P.mask | DIRECTORY_FPD.mask | SMPTBLPTR.mask)

Qwords = tuple[int, ...]
"""The eight words of an entry; words that were not fetched are 0."""
Pieces = tuple[tuple[int, ...], ...]
"""Which words one read brings, for each read of a fetch."""
Seen = Callable[[Qwords], None]
"""Told what a fetch read, in the step of its last read."""


class TranslationType(IntEnum):
    """PGTT; this unit has no second level, so an entry that asks for one is invalid to it."""

    FIRST_LEVEL = 1
    SECOND_LEVEL = 2
    NESTED = 3
    PASS_THROUGH = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class PasidEntry:
    """A present, legal PASID entry; `fpd` includes that of the context and directory entries above it."""

    fpd: bool
    pgtt: TranslationType
    did: Did
    nxe: bool
    flptptr: PhysAddr


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """A present directory entry."""

    fpd: bool
    table: PhysAddr


def pieces(count: int) -> Pieces:
    """The reads of a fetch in `count` equal pieces (4: 128 bits each), as far as words are used."""
    if count not in (1, 2, 4, 8):
        raise ValueError(f"PASID entry in {count} pieces: allowed are 1, 2, 4 and 8")
    size = ENTRY_QWORDS // count
    return tuple(tuple(range(first, min(first + size, _ACTED_ON))) for first in range(0, _ACTED_ON, size))


def encode(**fields: int) -> Qwords:
    """The eight words of a PASID entry, from fields under their specified names."""
    return encode_layout(LAYOUT, fields)


def decode(qwords: Sequence[int]) -> dict[str, int]:
    """Every field of a PASID entry, legal or not."""
    return decode_layout(LAYOUT, qwords)


def check(qwords: Sequence[int], *, fpd: bool = False) -> PasidEntry | Denial:
    """The PASID entry as hardware takes it, or why it refuses it; `fpd` comes from the entries above."""
    q0, q1, q2 = qwords[:_ACTED_ON]
    fpd = fpd or bool(q0 & FPD.mask)
    if not q0 & P.mask:
        return Denial(reason=FaultReason.PASID_ENTRY_P, fpd=fpd)
    if any(word & reserved for word, reserved in zip((q0, q1, q2), _RESERVED, strict=True)):
        return Denial(reason=FaultReason.PASID_ENTRY_RESERVED, fpd=fpd)
    pgtt = PGTT.get(q0)
    first_level = pgtt == TranslationType.FIRST_LEVEL
    if pgtt not in (TranslationType.FIRST_LEVEL, TranslationType.PASS_THROUGH) or (first_level and FLPM.get(q2)):
        return Denial(reason=FaultReason.PASID_ENTRY_INVALID, fpd=fpd)
    return PasidEntry(
        fpd=fpd,
        pgtt=TranslationType(pgtt),
        did=Did(DID.get(q1)),
        nxe=bool(q2 & NXE.mask),
        flptptr=PhysAddr(q2 & FLPTPTR.mask),
    )


def meaning(qwords: Sequence[int]) -> str:
    """What a PASID entry tells this unit, as text: entries with one meaning are treated alike."""
    taken = check(qwords)
    fields = decode(qwords)
    if isinstance(taken, Denial):
        return f"{taken.reason.name} (P={fields['P']} FPD={fields['FPD']})"
    names = ("FPD", "PGTT", "DID", *(("NXE", "FLPTPTR") if taken.pgtt is TranslationType.FIRST_LEVEL else ()))
    return " ".join(f"{name}={fields[name]:#x}" for name in names if fields[name])


def check_directory(word: int, *, fpd: bool = False) -> DirectoryEntry | Denial:
    """The directory entry as hardware takes it, or why it refuses it."""
    fpd = fpd or bool(word & DIRECTORY_FPD.mask)
    if not word & DIRECTORY_P.mask:
        return Denial(reason=FaultReason.PASID_DIRECTORY_P, fpd=fpd)
    if word & _DIRECTORY_RESERVED:
        return Denial(reason=FaultReason.PASID_DIRECTORY_RESERVED, fpd=fpd)
    return DirectoryEntry(fpd=fpd, table=PhysAddr(word & SMPTBLPTR.mask))


def directory_address(directory: PhysAddr, pasid: Pasid) -> PhysAddr:
    """Where the directory entry of a PASID lies."""
    return PhysAddr(directory + pasid // TABLE_ENTRIES * WORD_BYTES)


def entry_address(table: PhysAddr, pasid: Pasid) -> PhysAddr:
    """Where the PASID entry lies in the table that its directory entry points to."""
    return PhysAddr(table + pasid % TABLE_ENTRIES * ENTRY_BYTES)


async def fetch_directory(bus: Bus, directory: PhysAddr, pasid: Pasid, *, fpd: bool = False) -> DirectoryEntry | Denial:
    """Read a directory entry and check it."""
    try:
        word = await bus.load(directory_address(directory, pasid), f"PASID directory[{pasid // TABLE_ENTRIES}]")
    except BusError:
        return Denial(reason=FaultReason.PASID_DIRECTORY_ACCESS, fpd=fpd)
    return check_directory(word, fpd=fpd)


async def fetch_entry(
    bus: Bus,
    table: PhysAddr,
    pasid: Pasid,
    reads: Pieces,
    *,
    fpd: bool = False,
    any_order: bool = False,
    seen: Seen | None = None,
) -> PasidEntry | Denial:
    """Read a PASID entry as hardware does, one step a piece, and check what came together.

    `any_order` lets hardware choose which piece comes next.
    """
    entry = entry_address(table, pasid)
    words = [0] * ENTRY_QWORDS
    left = list(reads)
    while left:
        place = await bus.choose(f"next piece of PE[{pasid}]", len(left)) if any_order and len(left) > 1 else 0
        piece = left.pop(place)
        where = PhysAddr(entry + piece[0] * WORD_BYTES)
        name = f"PE[{pasid}].q{piece[0]}" + (f"-{piece[-1]}" if len(piece) > 1 else "")
        try:
            words[piece[0] : piece[-1] + 1] = await bus.load_words(where, len(piece), name)
        except BusError:
            return Denial(reason=FaultReason.PASID_ENTRY_ACCESS, fpd=fpd)
    if seen is not None:
        seen(tuple(words))
    return check(words, fpd=fpd)


def directory_entry(table: PhysAddr) -> int:
    """The word of a present directory entry."""
    if table & ~SMPTBLPTR.mask:
        raise ValueError(f"PASID table at {table:#x}: allowed are multiples of 4096")
    return table | DIRECTORY_P.mask


def empty_entry(*, fpd: bool = False) -> Qwords:
    """P=0 and nothing else, but FPD where faults are expected until the PASID is unbound."""
    return encode(FPD=fpd)


@lru_cache(maxsize=256)  # pure, and asked for the same few entries in every run
def first_level_entry(*, flptptr: PhysAddr, did: Did = FLPT_DEFAULT_DID) -> Qwords:
    """The entry of a process: `flptptr` is its mm's own page table."""
    if flptptr & ~FLPTPTR.mask:
        raise ValueError(f"first-level table at {flptptr:#x}: allowed are multiples of 4096")
    return encode(
        P=1,
        AW=2,
        PGTT=TranslationType.FIRST_LEVEL,
        DID=did,
        PWSNP=1,
        NXE=1,
        FLPTPTR=flptptr >> FLPTPTR.low,
    )


def pass_through_entry(did: Did) -> Qwords:
    """A PASID entry whose traffic has physical addresses already."""
    return encode(P=1, AW=2, PGTT=TranslationType.PASS_THROUGH, DID=did)
