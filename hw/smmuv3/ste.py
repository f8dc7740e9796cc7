"""Stream Table Entries (smmuv3 §1.1): what the SMMU does with a whole stream.

This SMMU has no stage 2; an STE that asks for it is C_BAD_STE to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from hw.bus import Bus, Pasid, PhysAddr, Resource, StreamId, Vmid
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import BusError
from hw.smmuv3.cd import StallModel
from hw.smmuv3.entry import ENTRY_BYTES, ENTRY_QWORDS, Qwords, Seen, fetch, fielded
from hw.smmuv3.evtq import EventId
from hw.smmuv3.level1 import CdTableFormat
from hw.smmuv3.tlb import StreamWorld

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
PIECES = fielded(LAYOUT)
"""The words that are fetched each by itself: q0 to q3."""

CHECKED_WORDS = 2
"""How many of them `check` looks at."""
_STAGE1_FIELDS = (
    *("S1Fmt", "S1ContextPtr", "S1CDMax", "S1DSS", "S1CIR", "S1COR", "S1CSH"),
    *("PPAR", "MEV", "S1STALLD", "EATS", "STRW", "S2VMID"),
)
_STAGE2_FIELDS = (
    *("S2FWB", "EATS", "MEV", "SHCFG", "S2VMID", "VTCR"),
    *("S2AA64", "S2ENDI", "S2PTW", "S2S", "S2R", "S2TTB"),
)
_LARGEST_S1CDMAX = 20
_WRITE_BACK = 1
_INNER_SHAREABLE = 3
_USE_INCOMING = 1
_EL2 = 2
NO_CD_TABLE = PhysAddr(0)


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
    """STE.EATS; without device permission tables DPT is taken for REFUSED."""

    REFUSED = 0
    FULL = 1
    SPLIT_STAGE = 2
    DPT = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What of an STE this SMMU can do (IDR0, IDR1): more is C_BAD_STE."""

    stall_model: StallModel = StallModel.STALL_AND_TERMINATE
    two_level_cds: bool = True
    hyp: bool = False
    """Whether there are EL2 streams; without them STRW is ignored."""


PLAIN = Features()
_STAGES = {StreamConfig.STAGE1: "stage 1", StreamConfig.STAGE2: "stage 2", StreamConfig.NESTED: "stages 1 and 2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ste:
    """A legal STE, as far as translation needs it."""

    config: StreamConfig
    s1fmt: CdTableFormat
    s1_context_ptr: PhysAddr
    s1cdmax: int
    s1dss: int
    s1stalld: bool
    eats: int
    ppar: bool
    world: StreamWorld


def encode(**fields: int) -> Qwords:
    """The eight words of an STE, from fields under their specified names."""
    return encode_layout(LAYOUT, fields)


def decode(qwords: Sequence[int]) -> dict[str, int]:
    """Every field of an STE, legal or not."""
    return decode_layout(LAYOUT, qwords)


def check(qwords: Sequence[int], features: Features = PLAIN) -> Ste | EventId:
    """The STE as the SMMU takes it, or the configuration error (IHI 0070 §5.2.2)."""
    q0, q1 = qwords[0], qwords[1]
    if not V.get(q0):
        return EventId.C_BAD_STE
    config = _config(q0)
    if config in (StreamConfig.STAGE2, StreamConfig.NESTED):
        return EventId.C_BAD_STE
    if config is StreamConfig.STAGE1 and _illegal_stage1(q0, q1, features):
        return EventId.C_BAD_STE
    el2 = features.hyp and config is StreamConfig.STAGE1 and STRW.get(q1)
    return Ste(
        config=config,
        s1fmt=_table_format(q0),
        s1_context_ptr=PhysAddr(q0 & S1ContextPtr.mask),
        s1cdmax=S1CDMax.get(q0),
        s1dss=S1DSS.get(q1),
        s1stalld=bool(q1 & S1STALLD.mask),
        eats=EATS.get(q1),
        ppar=bool(q1 & PPAR.mask),
        world=StreamWorld.EL2_E2H if el2 else StreamWorld.NS_EL1,
    )


def _config(q0: int) -> StreamConfig:
    number = Config.get(q0)
    return StreamConfig.ABORT if number < StreamConfig.BYPASS else StreamConfig(number)


def _illegal_stage1(q0: int, q1: int, features: Features) -> bool:
    """Whether a stage 1 STE asks for what this SMMU has not, or for what contradicts itself."""
    stalld = bool(q1 & S1STALLD.mask) and features.stall_model is not StallModel.STALL_AND_TERMINATE
    two_level = _table_format(q0) is not CdTableFormat.LINEAR and not features.two_level_cds
    reserved_world = features.hyp and STRW.get(q1) & 1
    too_many = S1CDMax.get(q0) > _LARGEST_S1CDMAX
    return bool(stalld or two_level or reserved_world or too_many or EATS.get(q1) == AtsMode.SPLIT_STAGE)


def _table_format(q0: int) -> CdTableFormat:
    """How S1ContextPtr is to be read; without substreams it points to a single CD."""
    number = S1Fmt.get(q0)
    linear = number > CdTableFormat.LEAF_64K or not S1CDMax.get(q0)
    return CdTableFormat.LINEAR if linear else CdTableFormat(number)


def meaning(qwords: Sequence[int]) -> str:
    """What an STE tells an SMMU with both stages, as text: entries with one meaning are treated alike."""
    fields = decode(qwords)
    if not fields["V"]:
        return f"{EventId.C_BAD_STE.name} (V=0)"
    config = _config(qwords[0])
    match config:
        case StreamConfig.ABORT:
            return "abort"
        case StreamConfig.BYPASS:
            return f"bypass SHCFG={fields['SHCFG']}"
        case StreamConfig.STAGE2:
            names: tuple[str, ...] = _STAGE2_FIELDS
        case StreamConfig.NESTED:
            names = (*_STAGE1_FIELDS, *_STAGE2_FIELDS)
        case _:
            names = (*_STAGE1_FIELDS, *(("SHCFG",) if fields["S1DSS"] == DefaultSubstream.BYPASS else ()))
    said = [f"{name}={fields[name]:#x}" for name in dict.fromkeys(names) if fields[name]]
    return " ".join([_STAGES[config], *said])


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
    """Where the STE of a stream lies in a linear table, or in a leaf with `sid` reduced to the place in it."""
    return PhysAddr(table + sid * ENTRY_BYTES)


async def fetch_ste(
    bus: Bus,
    address: PhysAddr,
    sid: StreamId,
    features: Features = PLAIN,
    seen: Seen | None = None,
    then: Sequence[Resource] = (),
) -> Ste | EventId:
    """Read the STE of a stream at `address` as the SMMU does, and check it; `then` is what the caller looks at next."""
    try:
        qwords = await fetch(bus, address, f"STE[{sid}]", PIECES, seen, then)
    except BusError:
        return EventId.F_STE_FETCH
    return check(qwords, features)


def invalid_ste() -> Qwords:
    """An STE whose words are all zero, so that V=0."""
    return (0,) * ENTRY_QWORDS


def abort_ste() -> Qwords:
    """An STE that aborts everything silently."""
    return encode(V=1, Config=StreamConfig.ABORT)


def bypass_ste() -> Qwords:
    """An STE that lets everything pass untranslated."""
    return encode(V=1, Config=StreamConfig.BYPASS, SHCFG=_USE_INCOMING)


@lru_cache(maxsize=256)  # pure, and asked for the same few entries in every run
def cdtable_ste(
    *,
    s1_context_ptr: PhysAddr,
    s1cdmax: int,
    s1fmt: CdTableFormat = CdTableFormat.LINEAR,
    s1dss: DefaultSubstream = DefaultSubstream.TERMINATE,
    eats: AtsMode = AtsMode.FULL,
    s1stalld: bool = False,
    ppar: bool = False,
    e2h: bool = False,
) -> Qwords:
    """Stage 1 through a CD table, as Linux sets it up; `e2h` makes it a stream of EL2."""
    if s1_context_ptr & ~S1ContextPtr.mask:
        raise ValueError(f"CD table at {s1_context_ptr:#x}: allowed are multiples of {ENTRY_BYTES} below 2^52")
    return encode(
        V=1,
        Config=StreamConfig.STAGE1,
        S1Fmt=s1fmt,
        S1ContextPtr=s1_context_ptr >> S1ContextPtr.low,
        S1CDMax=s1cdmax,
        S1DSS=s1dss,
        S1CIR=_WRITE_BACK,
        S1COR=_WRITE_BACK,
        S1CSH=_INNER_SHAREABLE,
        S1STALLD=s1stalld,
        PPAR=ppar,
        EATS=eats,
        STRW=_EL2 if e2h else 0,
        SHCFG=_USE_INCOMING if s1dss is DefaultSubstream.BYPASS else 0,
    )


def stage2_ste(
    *,
    s2ttb: PhysAddr,
    vmid: Vmid,
    vtcr: int,
    s1_context_ptr: PhysAddr = NO_CD_TABLE,
    eats: AtsMode = AtsMode.FULL,
    stall: bool = False,
    mev: bool = False,
) -> Qwords:
    """Stage 2, as Linux sets it up; behind stage 1 with one CD if there is a CD table (nested)."""
    if s2ttb & ~S2TTB.mask:
        raise ValueError(f"stage 2 table at {s2ttb:#x}: allowed are multiples of 16 below 2^52")
    return encode(
        V=1,
        Config=StreamConfig.NESTED if s1_context_ptr else StreamConfig.STAGE2,
        S1ContextPtr=s1_context_ptr >> S1ContextPtr.low,
        EATS=eats,
        MEV=mev,
        SHCFG=_USE_INCOMING,
        S2VMID=vmid,
        VTCR=vtcr,
        S2AA64=1,
        S2PTW=1,
        S2S=stall,
        S2R=1,
        S2TTB=s2ttb >> S2TTB.low,
    )
