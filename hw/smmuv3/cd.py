"""Context Descriptors (smmuv3 §1.2): the page table and ASID of one PASID, and what becomes of its faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from hw.bus import Asid, Bus, Pasid, PhysAddr
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import BusError
from hw.paging.aarch64 import OUTPUT_BITS
from hw.smmuv3.entry import ENTRY_BYTES, ENTRY_QWORDS, Qwords, Seen, fetch, fielded
from hw.smmuv3.evtq import EventId

T0SZ = Field(0, 6)
TG0 = Field(6, 2)
IR0 = Field(8, 2)
OR0 = Field(10, 2)
SH0 = Field(12, 2)
EPD0 = Field(14, 1)
ENDI = Field(15, 1)
EPD1 = Field(30, 1)
V = Field(31, 1)
IPS = Field(32, 3)
AFFD = Field(35, 1)
TBI0 = Field(38, 1)
AA64 = Field(41, 1)
HD = Field(42, 1)
HA = Field(43, 1)
S = Field(44, 1)
R = Field(45, 1)
A = Field(46, 1)
ASET = Field(47, 1)
ASID = Field(48, 16)

HAD0 = Field(1, 1)
TTB0 = Field(4, 48)

MAIR = Field(0, 64)

LAYOUT: tuple[Mapping[str, Field], ...] = (
    {
        "T0SZ": T0SZ,
        "TG0": TG0,
        "IR0": IR0,
        "OR0": OR0,
        "SH0": SH0,
        "EPD0": EPD0,
        "ENDI": ENDI,
        "EPD1": EPD1,
        "V": V,
        "IPS": IPS,
        "AFFD": AFFD,
        "TBI0": TBI0,
        "AA64": AA64,
        "HD": HD,
        "HA": HA,
        "S": S,
        "R": R,
        "A": A,
        "ASET": ASET,
        "ASID": ASID,
    },
    {"HAD0": HAD0, "TTB0": TTB0},
    {},
    {"MAIR": MAIR},
    {},
    {},
    {},
    {},
)
PIECES = fielded(LAYOUT)
"""The words that are fetched each by itself: q0, q1 and q3."""

_TOLD = ("ASID", "ASET", "A", "R", "S", "HA", "HD", "AFFD", "TBI0", "IPS", "EPD1", "ENDI", "MAIR")
"""What a CD tells an SMMU about more than the walks of TTB0; on TBI0, ASET, EPD1 and MAIR no walk acts here."""
_WALK_ONLY = ("T0SZ", "TG0", "IR0", "OR0", "SH0", "HAD0", "TTB0")
_T0SZ_48_BITS = 16
_T0SZ_25_BITS = 39
_IPS_48_BITS = 5
_OUTPUT_BITS = (32, 36, 40, 42, 44, 48, 48, 48)
_WRITE_BACK = 1
_INNER_SHAREABLE = 3
_MAIR_NORMAL = 0xFF


class StallModel(IntEnum):
    """IDR0.STALL_MODEL: whether this SMMU may, cannot or must stall."""

    STALL_AND_TERMINATE = 0
    TERMINATE_ONLY = 1
    STALL_FORCE = 2


class Httu(IntEnum):
    """IDR0.HTTU: which flags of descriptors this SMMU can update."""

    NONE = 0
    ACCESS = 1
    ACCESS_AND_DIRTY = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Walks:
    """What of a CD's walks this SMMU can do (IDR0, IDR3, IDR5)."""

    output_bits: int = OUTPUT_BITS
    """IDR5.OAS in bits. The intermediate size is the same: there is no AArch32."""
    had: bool = False
    """IDR3.HAD: whether CD.HAD0 means anything."""
    httu: Httu = Httu.NONE


PLAIN_WALKS = Walks()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cd:
    """A legal CD, as far as translation needs it."""

    asid: Asid
    ttb0: PhysAddr
    epd0: bool
    stall: bool
    record: bool
    abort: bool
    input_bits: int
    output_bits: int
    flags: bool = True
    """Whether an Access Flag of 0 is a fault: not with AFFD, nor where the SMMU sets it."""
    hierarchical: bool = True
    """Whether table descriptors restrict permissions: not with HAD0 where IDR3.HAD = 1."""
    access: bool = False
    """The SMMU sets Access Flags."""
    dirty: bool = False
    """And tracks dirty state."""


def encode(**fields: int) -> Qwords:
    """The eight words of a CD, from fields under their specified names."""
    return encode_layout(LAYOUT, fields)


def decode(qwords: Sequence[int]) -> dict[str, int]:
    """Every field of a CD, legal or not."""
    return decode_layout(LAYOUT, qwords)


def check(
    qwords: Sequence[int],
    *,
    stall_model: StallModel = StallModel.STALL_AND_TERMINATE,
    s1stalld: bool = False,
    walks: Walks = PLAIN_WALKS,
) -> Cd | EventId:
    """The CD as the SMMU takes it, or C_BAD_CD; with EPD0 the fields of TTB0's walks are not looked at.

    This SMMU walks little-endian AArch64 tables with a 4 KB granule of 25 to 48 bits. HD without HA does nothing.
    """
    q0, q1 = qwords[0], qwords[1]
    access, dirty = bool(q0 & HA.mask), bool(q0 & HD.mask)
    if not V.get(q0) or not AA64.get(q0) or walks.httu < max(access, 2 * dirty):
        return EventId.C_BAD_CD
    stall = bool(q0 & S.mask)
    if stall and (s1stalld or stall_model is StallModel.TERMINATE_ONLY):
        return EventId.C_BAD_CD
    if not stall and stall_model is StallModel.STALL_FORCE:
        return EventId.C_BAD_CD
    epd0 = bool(q0 & EPD0.mask)
    t0sz = T0SZ.get(q0)
    ttb0 = PhysAddr(q1 & TTB0.mask)
    output_bits = min(_OUTPUT_BITS[IPS.get(q0)], walks.output_bits)
    if not epd0 and (TG0.get(q0) or not _T0SZ_48_BITS <= t0sz <= _T0SZ_25_BITS or ENDI.get(q0) or ttb0 >> output_bits):
        return EventId.C_BAD_CD
    return Cd(
        asid=Asid(ASID.get(q0)),
        ttb0=ttb0,
        epd0=epd0,
        stall=stall,
        record=bool(q0 & R.mask),
        abort=bool(q0 & A.mask),
        input_bits=64 - t0sz,
        output_bits=output_bits,
        flags=not (access or q0 & AFFD.mask),
        hierarchical=not (walks.had and q1 & HAD0.mask),
        access=access,
        dirty=access and dirty,
    )


def meaning(qwords: Sequence[int]) -> str:
    """What a CD tells this SMMU, as text: CDs with one meaning are treated alike. S1STALLD is not considered."""
    taken = check(qwords)
    fields = decode(qwords)
    if isinstance(taken, EventId):
        return f"{taken.name} (V={fields['V']})"
    names = (*_TOLD, *(() if taken.epd0 else _WALK_ONLY))
    return ("quiet " if taken.epd0 else "") + " ".join(f"{name}={fields[name]:#x}" for name in names if fields[name])


def cd_address(table: PhysAddr, ssid: Pasid) -> PhysAddr:
    """Where the CD of a substream lies in a linear table, or in a leaf with `ssid` reduced to the place in it."""
    return PhysAddr(table + ssid * ENTRY_BYTES)


async def fetch_cd(
    bus: Bus,
    address: PhysAddr,
    ssid: Pasid,
    *,
    stall_model: StallModel = StallModel.STALL_AND_TERMINATE,
    s1stalld: bool = False,
    walks: Walks = PLAIN_WALKS,
    seen: Seen | None = None,
) -> Cd | EventId:
    """Read the CD of a substream at `address` as the SMMU does, and check it."""
    try:
        qwords = await fetch(bus, address, f"CD[{ssid}]", PIECES, seen)
    except BusError:
        return EventId.F_CD_FETCH
    return check(qwords, stall_model=stall_model, s1stalld=s1stalld, walks=walks)


def empty_cd() -> Qwords:
    """A CD whose words are all zero, so that V=0."""
    return (0,) * ENTRY_QWORDS


def paging_cd(*, asid: Asid, ttb0: PhysAddr, stall: bool = False) -> Qwords:
    """The CD of a domain that the kernel maps itself."""
    _check_table(ttb0)
    return encode(
        T0SZ=_T0SZ_48_BITS,
        IR0=_WRITE_BACK,
        OR0=_WRITE_BACK,
        SH0=_INNER_SHAREABLE,
        EPD1=1,
        V=1,
        IPS=_IPS_48_BITS,
        AA64=1,
        S=stall,
        R=1,
        A=1,
        ASET=1,
        ASID=asid,
        TTB0=ttb0 >> TTB0.low,
        MAIR=_MAIR_NORMAL,
    )


@lru_cache(maxsize=256)  # pure, and asked for the same few entries in every run
def sva_cd(*, asid: Asid, ttb0: PhysAddr, stall: bool = False) -> Qwords:
    """The CD of a process: `ttb0` is its mm's own page table. The bits are those of a paging CD."""
    return paging_cd(asid=asid, ttb0=ttb0, stall=stall)


def quiet_cd(*, asid: Asid, stall_force: bool = False) -> Qwords:
    """The release CD after mm exit: every walk faults without record or stall, unless the SMMU must stall."""
    return encode(
        EPD0=1,
        EPD1=1,
        V=1,
        IPS=_IPS_48_BITS,
        AA64=1,
        S=stall_force,
        R=stall_force,
        A=1,
        ASET=1,
        ASID=asid,
        MAIR=_MAIR_NORMAL,
    )


def _check_table(ttb0: PhysAddr) -> None:
    """Refuse a table address that TTB0 cannot hold."""
    if ttb0 & ~TTB0.mask:
        raise ValueError(f"translation table at {ttb0:#x}: allowed are multiples of 16 below 2^52")
