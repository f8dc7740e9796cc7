"""Scalable-mode context entries (vtd-pcie §2.1): what a function may do, and where its PASID directory lies.

The root table is left out: contexts stand in one linear table, and a function beyond it has no root entry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from hw.bus import Bus, Pasid, PhysAddr, StreamId
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import WORD_BYTES, BusError
from hw.vtd.faults import Denial, FaultReason

ENTRY_QWORDS = 4
ENTRY_BYTES = ENTRY_QWORDS * WORD_BYTES
_FETCHED = 2
"""Words that hardware acts on; they come in one 128-bit read."""
_SMALLEST_DIRECTORY_SHIFT = 7

P = Field(0, 1)
FPD = Field(1, 1)
DTE = Field(2, 1)
PASIDE = Field(3, 1)
PRE = Field(4, 1)
PDTS = Field(9, 3)
PASIDDIRPTR = Field(12, 52)

RID_PASID = Field(0, 20)

LAYOUT: tuple[Mapping[str, Field], ...] = (
    {"P": P, "FPD": FPD, "DTE": DTE, "PASIDE": PASIDE, "PRE": PRE, "PDTS": PDTS, "PASIDDIRPTR": PASIDDIRPTR},
    {"RID_PASID": RID_PASID},
    {},
    {},
)
"""vtd-pcie §2.1 names P, PRE and DTE; the positions are those that Linux writes."""
_RESERVED = tuple(~sum(field.mask for field in table.values()) for table in LAYOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A legal context entry."""

    fpd: bool
    dte: bool
    paside: bool
    pre: bool
    directory: PhysAddr
    directory_entries: int
    rid_pasid: Pasid
    """The PASID that requests without one use."""


def encode(**fields: int) -> tuple[int, ...]:
    """The four words of a context entry, from fields under their specified names."""
    return encode_layout(LAYOUT, fields)


def decode(qwords: Sequence[int]) -> dict[str, int]:
    """Every field of a context entry, legal or not."""
    return decode_layout(LAYOUT, qwords)


def check(qwords: Sequence[int]) -> Context | Denial:
    """The context entry as hardware takes it, or why it refuses it."""
    q0, q1 = qwords[0], qwords[1]
    fpd = bool(q0 & FPD.mask)
    if not q0 & P.mask:
        return Denial(reason=FaultReason.CONTEXT_ENTRY_P, fpd=fpd)
    if q0 & _RESERVED[0] or q1 & _RESERVED[1]:
        return Denial(reason=FaultReason.CONTEXT_ENTRY_RESERVED, fpd=fpd)
    return Context(
        fpd=fpd,
        dte=bool(q0 & DTE.mask),
        paside=bool(q0 & PASIDE.mask),
        pre=bool(q0 & PRE.mask),
        directory=PhysAddr(q0 & PASIDDIRPTR.mask),
        directory_entries=1 << (PDTS.get(q0) + _SMALLEST_DIRECTORY_SHIFT),
        rid_pasid=Pasid(RID_PASID.get(q1)),
    )


def context_address(table: PhysAddr, sid: StreamId) -> PhysAddr:
    """Where the context entry of a function lies."""
    return PhysAddr(table + sid * ENTRY_BYTES)


async def fetch_context(bus: Bus, table: PhysAddr, sid: StreamId) -> Context | Denial:
    """Read a context entry as hardware does, and check it."""
    try:
        qwords = await bus.load_words(context_address(table, sid), _FETCHED, f"context[{sid}]")
    except BusError:
        return Denial(reason=FaultReason.CONTEXT_ENTRY_ACCESS)
    return check(qwords)


@lru_cache(maxsize=64)  # pure, and asked for the same few entries in every run
def context_entry(
    *,
    directory: PhysAddr,
    pdts: int = 0,
    ats: bool = True,
    pri: bool = True,
    pasid: bool = True,
    fpd: bool = False,
    rid_pasid: Pasid | None = None,
) -> tuple[int, ...]:
    """A present context entry, by default as Linux sets it up for SVA (RID_PASID is 0 there)."""
    if directory & ~PASIDDIRPTR.mask:
        raise ValueError(f"PASID directory at {directory:#x}: allowed are multiples of 4096")
    return encode(
        P=1,
        FPD=fpd,
        DTE=ats,
        PASIDE=pasid,
        PRE=pri,
        PDTS=pdts,
        PASIDDIRPTR=directory >> PASIDDIRPTR.low,
        RID_PASID=rid_pasid or 0,
    )
