"""The registers of VT-d that matter for SVA (vtd-pcie §2.2 to §2.4), one word each in one MMIO frame.

Bits that software clears by writing 1 are cleared with the functions below, in one read-modify-write step."""

from __future__ import annotations

from hw.bus import PhysAddr, Resource
from hw.fields import Field
from hw.memory import FRAME_WORDS, WORD_BYTES, Memory
from hw.registers import name_at, words_of

PFO = Field(0, 1)
PPF = Field(1, 1)
IQE = Field(4, 1)
ICE = Field(5, 1)
ITE = Field(6, 1)
FRI = Field(8, 8)
FSTS_W1C = PFO.mask | IQE.mask | ICE.mask | ITE.mask
"""PPF is no storage: it is set as long as some fault record has F=1."""
FSTS_STATUS = FSTS_W1C | PPF.mask

IQEI = Field(0, 4)
ITESID = Field(32, 16)
ICESID = Field(48, 16)

IWC = Field(0, 1)

PPR = Field(0, 1)
PRO = Field(1, 1)

IM = Field(31, 1)
"""Interrupt mask of FECTL, IECTL and PECTL."""
IP = Field(30, 1)
"""Interrupt pending: it was raised while IM was set."""

_NAMES = ("FSTS", "FECTL", "IQH", "IQT", "IQER", "ICS", "IECTL", "PQH", "PQT", "PRS", "PECTL")
_FRCD_WORDS = 2
_MOST_RECORDS = (FRAME_WORDS - len(_NAMES)) // _FRCD_WORDS


class Registers:
    """Where each register of one VT-d unit lies; `fault_records` is CAP.NFR + 1."""

    __slots__ = (*_NAMES, "base", "fault_records")

    def __init__(self, base: PhysAddr, fault_records: int = 2) -> None:
        """Lay the registers out from the start of the frame at `base`; few fault records, so that PFO is ordinary."""
        if not 1 <= fault_records <= _MOST_RECORDS:
            raise ValueError(f"{fault_records} fault recording registers: allowed are 1..{_MOST_RECORDS}")
        self.base = base
        self.fault_records = fault_records
        (
            self.FSTS,
            self.FECTL,
            self.IQH,
            self.IQT,
            self.IQER,
            self.ICS,
            self.IECTL,
            self.PQH,
            self.PQT,
            self.PRS,
            self.PECTL,
        ) = words_of(base, len(_NAMES))

    def FRCD(self, index: int) -> tuple[PhysAddr, PhysAddr]:
        """The low and the high word of a fault recording register."""
        if not 0 <= index < self.fault_records:
            raise ValueError(f"fault recording register {index}: there are {self.fault_records}")
        low = self.base + (len(_NAMES) + index * _FRCD_WORDS) * WORD_BYTES
        return PhysAddr(low), PhysAddr(low + WORD_BYTES)

    def name_of(self, address: PhysAddr) -> str:
        """The register at `address`."""
        halves = [f"FRCD[{index}].{half}" for index in range(self.fault_records) for half in ("low", "high")]
        return name_at(address, self.base, [*_NAMES, *halves])


def word_resource(address: PhysAddr) -> Resource:
    """What a step names that touches a word without `Bus.load` or `Bus.store`."""
    return ("word", address)


def fsts_after(word: int, written: int) -> int:
    """FSTS after software wrote `written`."""
    return word & ~(written & FSTS_W1C)


def prs_after(word: int, written: int) -> int:
    """PRS after software wrote `written`."""
    return word & ~(written & (PPR.mask | PRO.mask))


def ics_after(word: int, written: int) -> int:
    """ICS after software wrote `written`."""
    return word & ~(written & IWC.mask)


def raise_event(memory: Memory, control: PhysAddr) -> bool:
    """An interrupt condition arose: whether the interrupt goes out, or waits in IP for IM to be cleared."""
    word = memory.read(control)
    if word & IM.mask:
        memory.write(control, word | IP.mask)
        return False
    return True


def set_mask(memory: Memory, control: PhysAddr, masked: bool) -> bool:
    """Software writes IM: whether that lets a pending interrupt go out."""
    word = memory.read(control)
    released = not masked and bool(word & IP.mask)
    memory.write(control, IM.put(IP.put(word, 0) if released else word, masked))
    return released


def raise_fault_status(memory: Memory, registers: Registers, status: int) -> bool:
    """Set status bits of FSTS: whether the fault event interrupt goes out, as it does only from a clean FSTS."""
    before = memory.read(registers.FSTS)
    memory.write(registers.FSTS, before | status)
    return not before & FSTS_STATUS and raise_event(memory, registers.FECTL)
