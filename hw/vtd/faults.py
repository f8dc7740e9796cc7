"""Non-recoverable faults (vtd-pcie §2.2): reason codes, fault recording registers, PFO, and FPD, which
silences the record and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum

from hw.bus import PAGE_SHIFT, Pasid, Resource, StreamId
from hw.fields import Field, decode_layout, encode_layout
from hw.memory import Memory
from hw.vtd.registers import FRI, PFO, PPF, Registers, raise_fault_status, word_resource

LAYOUT = (
    {"FI": Field(12, 52)},
    {
        "SID": Field(0, 16),
        "T2": Field(28, 1),
        "PRIV": Field(29, 1),
        "EXE": Field(30, 1),
        "PP": Field(31, 1),
        "FR": Field(32, 8),
        "PV": Field(40, 20),
        "AT": Field(60, 2),
        "T1": Field(62, 1),
        "F": Field(63, 1),
    },
)
"""vtd-pcie §2.2 names the fields; F, T1, PV, FR, PP and SID stand where Linux reads them, the others are [K]."""
F = LAYOUT[1]["F"]


class FaultReason(IntEnum):
    """FRCD.FR: why a request was refused."""

    ROOT_ENTRY_ACCESS = 0x38
    ROOT_ENTRY_P = 0x39
    ROOT_ENTRY_RESERVED = 0x3A
    CONTEXT_ENTRY_ACCESS = 0x40
    CONTEXT_ENTRY_P = 0x41
    CONTEXT_ENTRY_RESERVED = 0x42
    CONTEXT_ENTRY_INVALID = 0x43
    DTE_CLEAR = 0x44
    PASIDE_CLEAR = 0x45
    PASID_TOO_LARGE = 0x46
    PRE_CLEAR = 0x47
    RID_PASID = 0x48
    PASID_DIRECTORY_ACCESS = 0x50
    PASID_DIRECTORY_P = 0x51
    PASID_DIRECTORY_RESERVED = 0x52
    PASID_ENTRY_ACCESS = 0x58
    PASID_ENTRY_P = 0x59
    PASID_ENTRY_RESERVED = 0x5A
    PASID_ENTRY_INVALID = 0x5B
    ERE_CLEAR = 0x5C
    SRE_CLEAR = 0x5D
    FIRST_LEVEL_ACCESS = 0x70
    FIRST_LEVEL_P = 0x71
    FIRST_LEVEL_RESERVED = 0x72
    FIRST_LEVEL_ROOT_ACCESS = 0x73
    NOT_CANONICAL = 0x80
    SUPERVISOR_PAGE = 0x81
    NO_WRITE_PERMISSION = 0x85
    NO_READ_PERMISSION = 0x86


class RequestKind(Enum):
    """What the device asked for: FRCD's T1, T2 and AT in one."""

    WRITE = (0, 0, 0)
    PAGE_REQUEST = (0, 1, 0)
    READ = (1, 0, 0)
    TRANSLATION = (1, 0, 1)
    TRANSLATED_WRITE = (0, 0, 2)
    TRANSLATED_READ = (1, 0, 2)

    @property
    def translates(self) -> bool:
        """It has a virtual address that the unit has to translate."""
        return self in (RequestKind.WRITE, RequestKind.READ, RequestKind.TRANSLATION)

    @property
    def needs_ats(self) -> bool:
        """Whether the context must have DTE for a request of this kind."""
        return self in (RequestKind.TRANSLATION, RequestKind.TRANSLATED_WRITE, RequestKind.TRANSLATED_READ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why a request got nothing; `fpd` is set if any entry on the way that could be read has FPD=1."""

    reason: FaultReason
    fpd: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """One fault recording register; without `pasid` the request had none."""

    reason: FaultReason
    sid: StreamId
    pasid: Pasid | None
    address: int
    kind: RequestKind
    execute: bool = False
    privileged: bool = False


def encode(record: FaultRecord) -> tuple[int, ...]:
    """The two words of a record with F=1; of the address, the page is kept."""
    t1, t2, at = record.kind.value
    return encode_layout(
        LAYOUT,
        {
            "FI": record.address >> PAGE_SHIFT,
            "SID": record.sid,
            "T2": t2,
            "PRIV": record.privileged,
            "EXE": record.execute,
            "PP": record.pasid is not None,
            "FR": record.reason,
            "PV": record.pasid or 0,
            "AT": at,
            "T1": t1,
            "F": 1,
        },
    )


def decode(words: Sequence[int]) -> FaultRecord | None:
    """The record that two words say; None while F=0. Only what `encode` made can be decoded."""
    values = decode_layout(LAYOUT, words)
    if not values["F"]:
        return None
    return FaultRecord(
        reason=FaultReason(values["FR"]),
        sid=StreamId(values["SID"]),
        pasid=Pasid(values["PV"]) if values["PP"] else None,
        address=values["FI"] << PAGE_SHIFT,
        kind=RequestKind((values["T1"], values["T2"], values["AT"])),
        execute=bool(values["EXE"]),
        privileged=bool(values["PRIV"]),
    )


class LogOutcome(Enum):
    """What became of a fault."""

    RECORDED = "recorded"
    OVERFLOW = "lost: the next record is still in use, PFO was set"
    LOST = "lost: PFO was set already"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What recording did: which register took the fault (-1: none), and whether the fault event interrupt goes out."""

    outcome: LogOutcome
    index: int
    interrupt: bool


class FaultLog:
    """The fault recording registers, as hardware fills them in turn.

    `pfo_stops`: as long as PFO is set nothing is recorded, even if software has freed records meanwhile. vtd-pcie
    §2.2 calls these semantics unverified; the alternative records again as soon as there is room.
    """

    __slots__ = ("_next", "memory", "pfo_stops", "registers")

    def __init__(self, memory: Memory, registers: Registers, *, pfo_stops: bool = True) -> None:
        """Start with the first register."""
        self.memory = memory
        self.registers = registers
        self.pfo_stops = pfo_stops
        self._next = 0

    def footprint(self) -> tuple[Resource, ...]:
        """What a step writes that calls `report` or `acknowledge`."""
        registers = self.registers
        records = [word for index in range(registers.fault_records) for word in registers.FRCD(index)]
        return tuple(word_resource(word) for word in (registers.FSTS, registers.FECTL, *records))

    def report(self, record: FaultRecord) -> Recorded:
        """Record a fault, unless there is no room; a record that FPD silences must not come here."""
        memory, registers = self.memory, self.registers
        status = memory.read(registers.FSTS)
        if self.pfo_stops and status & PFO.mask:
            return Recorded(outcome=LogOutcome.LOST, index=-1, interrupt=False)
        low, high = registers.FRCD(self._next)
        if memory.read(high) & F.mask:
            interrupt = raise_fault_status(memory, registers, PFO.mask)
            return Recorded(outcome=LogOutcome.OVERFLOW, index=-1, interrupt=interrupt)
        index = self._next
        self._next = (index + 1) % registers.fault_records
        for address, word in zip((low, high), encode(record), strict=True):
            memory.write(address, word)
        if not status & PPF.mask:
            memory.write(registers.FSTS, FRI.put(status, index))
        return Recorded(
            outcome=LogOutcome.RECORDED, index=index, interrupt=raise_fault_status(memory, registers, PPF.mask)
        )

    def records(self) -> tuple[FaultRecord | None, ...]:
        """Every register: for tests and renderers."""
        words = [self.registers.FRCD(index) for index in range(self.registers.fault_records)]
        return tuple(decode([self.memory.read(word) for word in pair]) for pair in words)

    def acknowledge(self, index: int) -> None:
        """Software writes 1 to F of a record; PPF goes with the last one."""
        memory = self.memory
        high = self.registers.FRCD(index)[1]
        memory.write(high, memory.read(high) & ~F.mask)
        if not any(self.records()):
            memory.write(self.registers.FSTS, memory.read(self.registers.FSTS) & ~PPF.mask)
