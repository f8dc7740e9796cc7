"""Stream Table Entries of a linear stream table (smmuv3.md section 1.1): what the SMMU does with a whole stream.

This SMMU has no stage 2 and no two-level CD tables; an STE that asks for them is C_BAD_STE to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from hw.bus import Bus, Pasid, PhysAddr, StreamId
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import BusError
from hw.smmuv3.entry import ENTRY_BYTES, ENTRY_QWORDS, Qwords, Seen, fetch
from hw.smmuv3.evtq import EventId

V = Field(0, 1)
Config = Field(1, 3)
S1Fmt = Field(4, 2)
S1ContextPtr = Field(6, 46)
S1CDMax = Field(59, 5)

S1DSS = Field(0, 2)
S1CIR = Field(2, 2)
S1COR = Field(4, 2)
S1CSH = Field(6, 2)
PPAR = Field(18, 1)
MEV = Field(19, 1)
S2FWB = Field(25, 1)
S1STALLD = Field(27, 1)
EATS = Field(28, 2)
STRW = Field(30, 2)
SHCFG = Field(44, 2)

S2VMID = Field(0, 16)
VTCR = Field(32, 19)
S2AA64 = Field(51, 1)
S2ENDI = Field(52, 1)
S2PTW = Field(54, 1)
S2S = Field(57, 1)
S2R = Field(58, 1)

S2TTB = Field(4, 48)

LAYOUT: tuple[Mapping[str, Field], ...] = (
    {"V": V, "Config": Config, "S1Fmt": S1Fmt, "S1ContextPtr": S1ContextPtr, "S1CDMax": S1CDMax},
    {
        "S1DSS": S1DSS,
        "S1CIR": S1CIR,
        "S1COR": S1COR,
        "S1CSH": S1CSH,
        "PPAR": PPAR,
        "MEV": MEV,
        "S2FWB": S2FWB,
        "S1STALLD": S1STALLD,
        "EATS": EATS,
        "STRW": STRW,
        "SHCFG": SHCFG,
    },
    {
        "S2VMID": S2VMID,
        "VTCR": VTCR,
        "S2AA64": S2AA64,
        "S2ENDI": S2ENDI,
        "S2PTW": S2PTW,
        "S2S": S2S,
        "S2R": S2R,
    },
    {"S2TTB": S2TTB},
    {},
    {},
    {},
    {},
)
FETCHED = (0, 1)
"""The words that stage 1 needs, in the plain order."""

_STAGE1_FIELDS = (
    *("S1Fmt", "S1ContextPtr", "S1CDMax", "S1DSS", "S1CIR", "S1COR", "S1CSH"),
    *("PPAR", "MEV", "S1STALLD", "EATS", "STRW"),
)
_WRITE_BACK = 1
_INNER_SHAREABLE = 3
_USE_INCOMING = 1


class StreamConfig(IntEnum):
    """STE.Config; 1 to 3 are reserved and taken for ABORT."""

    ABORT = 0
    BYPASS = 4
    STAGE1 = 5
    STAGE2 = 6
    NESTED = 7


class DefaultSubstream(IntEnum):
    """STE.S1DSS: what happens to traffic without a PASID."""

    TERMINATE = 0
    BYPASS = 1
    SSID0 = 2


class AtsMode(IntEnum):
    """STE.EATS."""

    REFUSED = 0
    FULL = 1
    SPLIT_STAGE = 2
    DPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Ste:
    """A legal STE, as far as translation needs it."""

    config: StreamConfig
    s1_context_ptr: PhysAddr
    s1cdmax: int
    s1dss: int
    s1stalld: bool
    eats: int
    ppar: bool


def encode(**fields: int) -> Qwords:
    """The eight words of an STE, from fields under their specified names."""
    return encode_layout(LAYOUT, fields)


def decode(qwords: Sequence[int]) -> dict[str, int]:
    """Every field of an STE, legal or not."""
    return decode_layout(LAYOUT, qwords)


def check(qwords: Sequence[int]) -> Ste | EventId:
    """The STE as the SMMU takes it, or the configuration error."""
    q0, q1 = qwords[0], qwords[1]
    if not V.get(q0):
        return EventId.C_BAD_STE
    number = Config.get(q0)
    config = StreamConfig.ABORT if number < StreamConfig.BYPASS else StreamConfig(number)
    if config in (StreamConfig.STAGE2, StreamConfig.NESTED):
        return EventId.C_BAD_STE
    s1cdmax = S1CDMax.get(q0)
    if config is StreamConfig.STAGE1 and s1cdmax and S1Fmt.get(q0):
        return EventId.C_BAD_STE
    return Ste(
        config=config,
        s1_context_ptr=PhysAddr(q0 & S1ContextPtr.mask),
        s1cdmax=s1cdmax,
        s1dss=S1DSS.get(q1),
        s1stalld=bool(q1 & S1STALLD.mask),
        eats=EATS.get(q1),
        ppar=bool(q1 & PPAR.mask),
    )


def meaning(qwords: Sequence[int]) -> str:
    """What an STE tells this SMMU, as text: entries with one meaning are treated alike."""
    taken = check(qwords)
    fields = decode(qwords)
    if isinstance(taken, EventId):
        return f"{taken.name} (V={fields['V']})"
    match taken.config:
        case StreamConfig.ABORT:
            return "abort"
        case StreamConfig.BYPASS:
            return f"bypass SHCFG={fields['SHCFG']}"
        case _:
            names = _STAGE1_FIELDS + (("SHCFG",) if taken.s1dss == DefaultSubstream.BYPASS else ())
            return "stage 1 " + " ".join(f"{name}={fields[name]:#x}" for name in names if fields[name])


def context_index(ste: Ste, ssid: Pasid | None) -> Pasid | EventId | None:
    """Which CD a transaction of a stage 1 stream uses; None means that it bypasses stage 1."""
    if ssid is None:
        if ste.s1cdmax == 0 or ste.s1dss == DefaultSubstream.SSID0:
            return Pasid(0)
        return None if ste.s1dss == DefaultSubstream.BYPASS else EventId.F_STREAM_DISABLED
    if ste.s1cdmax == 0 or ssid >> ste.s1cdmax:
        return EventId.C_BAD_SUBSTREAMID
    if ssid == 0 and ste.s1dss == DefaultSubstream.SSID0:
        return EventId.F_STREAM_DISABLED
    return ssid


def ste_address(table: PhysAddr, sid: StreamId) -> PhysAddr:
    """Where the STE of a stream lies in a linear table."""
    return PhysAddr(table + sid * ENTRY_BYTES)


async def fetch_ste(
    bus: Bus,
    table: PhysAddr,
    sid: StreamId,
    order: Sequence[int] = FETCHED,
    *,
    any_order: bool = False,
    seen: Seen | None = None,
) -> Ste | EventId:
    """Read an STE as the SMMU does, and check it."""
    try:
        qwords = await fetch(bus, ste_address(table, sid), f"STE[{sid}]", order, any_order=any_order, seen=seen)
    except BusError:
        return EventId.F_STE_FETCH
    return check(qwords)


def invalid_ste() -> Qwords:
    """All zero: V=0."""
    return (0,) * ENTRY_QWORDS


def abort_ste() -> Qwords:
    """Everything is aborted, silently."""
    return encode(V=1, Config=StreamConfig.ABORT)


def bypass_ste() -> Qwords:
    """Everything passes untranslated."""
    return encode(V=1, Config=StreamConfig.BYPASS, SHCFG=_USE_INCOMING)


@lru_cache(maxsize=256)  # pure, and asked for the same few entries in every run
def cdtable_ste(
    *,
    s1_context_ptr: PhysAddr,
    s1cdmax: int,
    s1dss: DefaultSubstream = DefaultSubstream.TERMINATE,
    eats: AtsMode = AtsMode.FULL,
    s1stalld: bool = False,
    ppar: bool = False,
) -> Qwords:
    """Stage 1 through a linear CD table, as Linux sets it up (no E2H)."""
    if s1_context_ptr & ~S1ContextPtr.mask:
        raise ValueError(f"CD table at {s1_context_ptr:#x}: allowed are multiples of {ENTRY_BYTES} below 2^52")
    return encode(
        V=1,
        Config=StreamConfig.STAGE1,
        S1ContextPtr=s1_context_ptr >> S1ContextPtr.low,
        S1CDMax=s1cdmax,
        S1DSS=s1dss,
        S1CIR=_WRITE_BACK,
        S1COR=_WRITE_BACK,
        S1CSH=_INNER_SHAREABLE,
        S1STALLD=s1stalld,
        PPAR=ppar,
        EATS=eats,
        SHCFG=_USE_INCOMING if s1dss is DefaultSubstream.BYPASS else 0,
    )
