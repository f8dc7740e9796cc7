"""Commands of the SMMU's command queue, 16 bytes each, opcodes as in smmuv3 §1.4.

docs/smmuv3.md gives few bit positions; those here are the public SMMUv3 layout. An SMMU that has no Hyp or no stage 2
does not know their commands (CERROR_ILL). Bits that no field names are ignored, those of the range form of TLBI too."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from hw.bus import Asid, Pasid, PhysAddr, Prgi, StreamId, VirtAddr, Vmid
from hw.fields import Field

ENTRY_WORDS = 2
NO_MSI = PhysAddr(0)
ATC_INV_EVERYTHING = 52
"""The Size of an ATC_INV that covers the whole address space."""
CFGI_ALL_RANGE = 31
"""The Range that makes CFGI_STE_RANGE a CFGI_ALL."""

_NO_SID = StreamId(0)
_NO_SSID = Pasid(0)
_NO_VMID = Vmid(0)
_NO_ASID = Asid(0)
_NO_ADDRESS = VirtAddr(0)
_NO_PRGI = Prgi(0)


class Opcode(IntEnum):
    """Bits 7:0 of a command."""

    PREFETCH_CFG = 0x01
    CFGI_STE = 0x03
    CFGI_STE_RANGE = 0x04
    CFGI_CD = 0x05
    CFGI_CD_ALL = 0x06
    TLBI_NH_ALL = 0x10
    TLBI_NH_ASID = 0x11
    TLBI_NH_VA = 0x12
    TLBI_NH_VAA = 0x13
    TLBI_EL2_ALL = 0x20
    TLBI_EL2_ASID = 0x21
    TLBI_EL2_VA = 0x22
    TLBI_S12_VMALL = 0x28
    TLBI_S2_IPA = 0x2A
    TLBI_NSNH_ALL = 0x30
    ATC_INV = 0x40
    PRI_RESP = 0x41
    RESUME = 0x44
    STALL_TERM = 0x45
    CMD_SYNC = 0x46


class Cerror(IntEnum):
    """Why the command queue stopped (CMDQ_CONS.ERR)."""

    NONE = 0
    ILL = 1
    ABT = 2
    ATC_INV_SYNC = 3


class PriResp(IntEnum):
    """PRI_RESP.Resp; not the code on the wire."""

    FAILURE = 0
    INVALID = 1
    SUCCESS = 2


class ResumeResp(IntEnum):
    """RESUME.Resp: what becomes of the stalled transaction."""

    TERMINATE = 0
    RETRY = 1
    ABORT = 2


class SyncSignal(IntEnum):
    """CMD_SYNC.CS: how its completion is signalled."""

    NONE = 0
    IRQ = 1
    SEV = 2


class CommandError(Exception):
    """The SMMU cannot execute this command: the queue stops with CMDQ_CONS.ERR = CERROR_ILL."""

    cerror = Cerror.ILL


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command; only the fields of its opcode are encoded, the others must stay at their defaults."""

    opcode: Opcode
    sid: StreamId = _NO_SID
    ssid: Pasid = _NO_SSID
    ssv: bool = False
    global_: bool = False
    leaf: bool = False
    range: int = 0
    vmid: Vmid = _NO_VMID
    asid: Asid = _NO_ASID
    address: VirtAddr = _NO_ADDRESS
    ttl: int = 0
    tg: int = 0
    size: int = 0
    prgi: Prgi = _NO_PRGI
    resp: int = 0
    stag: int = 0
    cs: int = 0
    data: int = 0


@dataclass(frozen=True, slots=True)
class _Part:
    """Where an attribute of `Command` sits: the word, the bits, and how far the value is shifted before."""

    word: int
    bits: Field
    shift: int = 0


_OPCODE = Field(0, 8)
_SID = {"sid": _Part(0, Field(32, 32))}
_SSID = {"ssid": _Part(0, Field(12, 20))}
_SSV = {"ssv": _Part(0, Field(11, 1))}
_LEAF = {"leaf": _Part(1, Field(0, 1))}
_VMID = {"vmid": _Part(0, Field(32, 16))}
_ASID = {"asid": _Part(0, Field(48, 16))}
_ADDRESS = {"address": _Part(1, Field(12, 52), shift=12)}
_HINTS = {"ttl": _Part(1, Field(8, 2)), "tg": _Part(1, Field(10, 2))}
_RESUME_RESP = {"resp": _Part(0, Field(12, 2))}
_PRI_RESP = {"resp": _Part(1, Field(12, 2))}

_PARTS: dict[Opcode, dict[str, _Part]] = {
    Opcode.PREFETCH_CFG: _SID | _SSID | _SSV,
    Opcode.CFGI_STE: _SID | _LEAF,
    Opcode.CFGI_STE_RANGE: _SID | {"range": _Part(1, Field(0, 5))},
    Opcode.CFGI_CD: _SID | _SSID | _LEAF,
    Opcode.CFGI_CD_ALL: _SID,
    Opcode.TLBI_NH_ALL: _VMID,
    Opcode.TLBI_NH_ASID: _VMID | _ASID,
    Opcode.TLBI_NH_VA: _VMID | _ASID | _LEAF | _HINTS | _ADDRESS,
    Opcode.TLBI_NH_VAA: _VMID | _LEAF | _HINTS | _ADDRESS,
    Opcode.TLBI_EL2_ALL: {},
    Opcode.TLBI_EL2_ASID: _ASID,
    Opcode.TLBI_EL2_VA: _ASID | _LEAF | _HINTS | _ADDRESS,
    Opcode.TLBI_S12_VMALL: _VMID,
    Opcode.TLBI_S2_IPA: _VMID | _LEAF | _HINTS | _ADDRESS,
    Opcode.TLBI_NSNH_ALL: {},
    Opcode.ATC_INV: _SID | _SSID | _SSV | {"global_": _Part(0, Field(9, 1)), "size": _Part(1, Field(0, 6))} | _ADDRESS,
    Opcode.PRI_RESP: _SID | _SSID | _SSV | {"prgi": _Part(1, Field(0, 9))} | _PRI_RESP,
    Opcode.RESUME: _SID | {"stag": _Part(1, Field(0, 16))} | _RESUME_RESP,
    Opcode.STALL_TERM: _SID,
    Opcode.CMD_SYNC: {
        "cs": _Part(0, Field(12, 2)),
        "data": _Part(0, Field(32, 32)),
        "address": _Part(1, Field(2, 50), shift=2),
    },
}
_HYP = frozenset({Opcode.TLBI_EL2_ALL, Opcode.TLBI_EL2_ASID, Opcode.TLBI_EL2_VA})
_STAGE_2 = frozenset({Opcode.TLBI_S12_VMALL, Opcode.TLBI_S2_IPA})
_FLAGS = frozenset({"ssv", "global_", "leaf"})
_HIGHEST = {"resp": 2, "cs": 2, "size": ATC_INV_EVERYTHING}
"""Values above these are illegal although the bits could hold them."""


@lru_cache(maxsize=4096)  # pure, and asked for the same few commands in every run
def encode(command: Command) -> tuple[int, int]:
    """The two words of a command."""
    parts = _PARTS[command.opcode]
    words = [int(command.opcode), 0]
    for name, part in parts.items():
        value = int(getattr(command, name))
        _check(command.opcode, name, value)
        if value & ((1 << part.shift) - 1):
            raise ValueError(f"{command.opcode.name}.{name} {value:#x}: it must be a multiple of {1 << part.shift}")
        words[part.word] = part.bits.put(words[part.word], value >> part.shift)
    return words[0], words[1]


@lru_cache(maxsize=4096)
def decode(q0: int, q1: int, *, hyp: bool = False, stage2: bool = False) -> Command:
    """The command that two words say to an SMMU with or without Hyp and stage 2; `CommandError` if it says nothing."""
    try:
        opcode = Opcode(_OPCODE.get(q0))
    except ValueError:
        raise CommandError(f"command {q0:#018x} {q1:#018x}: opcode {_OPCODE.get(q0):#x} is unknown") from None
    if (opcode in _HYP and not hyp) or (opcode in _STAGE_2 and not stage2):
        raise CommandError(f"{opcode.name}: this SMMU has no {'Hyp' if opcode in _HYP else 'stage 2'}")
    words = (q0, q1)
    values: dict[str, int] = {}
    for name, part in _PARTS[opcode].items():
        value = part.bits.get(words[part.word]) << part.shift
        if opcode is Opcode.RESUME and name == "resp" and value & ResumeResp.RETRY:
            value = ResumeResp.RETRY  # with Ac = 1 Ab is ignored (IHI 0070 §4.7.1)
        _check(opcode, name, value)
        values[name] = bool(value) if name in _FLAGS else value
    return _command(opcode, values)


def _command(opcode: Opcode, values: dict[str, int]) -> Command:
    """Name the types of what was decoded."""
    return Command(
        opcode=opcode,
        sid=StreamId(values.get("sid", 0)),
        ssid=Pasid(values.get("ssid", 0)),
        ssv=bool(values.get("ssv", False)),
        global_=bool(values.get("global_", False)),
        leaf=bool(values.get("leaf", False)),
        range=values.get("range", 0),
        vmid=Vmid(values.get("vmid", 0)),
        asid=Asid(values.get("asid", 0)),
        address=VirtAddr(values.get("address", 0)),
        ttl=values.get("ttl", 0),
        tg=values.get("tg", 0),
        size=values.get("size", 0),
        prgi=Prgi(values.get("prgi", 0)),
        resp=values.get("resp", 0),
        stag=values.get("stag", 0),
        cs=values.get("cs", 0),
        data=values.get("data", 0),
    )


def _check(opcode: Opcode, name: str, value: int) -> None:
    """Refuse the reserved values."""
    highest = _HIGHEST.get(name)
    if highest is not None and value > highest:
        raise CommandError(f"{opcode.name}.{name} is {value}: allowed are 0..{highest}")


def cfgi_ste(sid: StreamId, leaf: bool = True) -> Command:
    """Forget the STE of a stream, and every CD cached through it."""
    return Command(opcode=Opcode.CFGI_STE, sid=sid, leaf=leaf)


def cfgi_cd(sid: StreamId, ssid: Pasid, leaf: bool = True) -> Command:
    """Forget one CD of a stream."""
    return Command(opcode=Opcode.CFGI_CD, sid=sid, ssid=ssid, leaf=leaf)


def tlbi_nh_asid(vmid: Vmid, asid: Asid) -> Command:
    """Forget every translation of an ASID."""
    return Command(opcode=Opcode.TLBI_NH_ASID, vmid=vmid, asid=asid)


def tlbi_nh_va(vmid: Vmid, asid: Asid, address: VirtAddr, leaf: bool = True) -> Command:
    """Forget the translation of one page of an ASID."""
    return Command(opcode=Opcode.TLBI_NH_VA, vmid=vmid, asid=asid, address=address, leaf=leaf)


def atc_inv(sid: StreamId, ssid: Pasid | None, address: VirtAddr, size: int) -> Command:
    """Ask the endpoint to forget 2^`size` pages from `address`; without `ssid`, of every PASID."""
    if ssid is None:
        return Command(opcode=Opcode.ATC_INV, sid=sid, address=address, size=size)
    return Command(opcode=Opcode.ATC_INV, sid=sid, ssid=ssid, ssv=True, address=address, size=size)


def pri_resp(sid: StreamId, ssid: Pasid | None, prgi: Prgi, resp: PriResp) -> Command:
    """Answer a page request group."""
    if ssid is None:
        return Command(opcode=Opcode.PRI_RESP, sid=sid, prgi=prgi, resp=resp)
    return Command(opcode=Opcode.PRI_RESP, sid=sid, ssid=ssid, ssv=True, prgi=prgi, resp=resp)


def resume(sid: StreamId, stag: int, resp: ResumeResp) -> Command:
    """Decide the fate of a stalled transaction."""
    return Command(opcode=Opcode.RESUME, sid=sid, stag=stag, resp=resp)


def stall_term(sid: StreamId) -> Command:
    """Terminate every stalled transaction of a stream."""
    return Command(opcode=Opcode.STALL_TERM, sid=sid)


def cmd_sync(cs: SyncSignal = SyncSignal.NONE, msi: PhysAddr = NO_MSI) -> Command:
    """Complete what precedes it: the only completion that commands have. With CS=IRQ a zero is written to `msi`."""
    return Command(opcode=Opcode.CMD_SYNC, cs=cs, address=VirtAddr(msi))
