"""The registers of VT-d that matter for SVA (vtd-pcie.md sections 2.2 to 2.4), one 64-bit word each in one MMIO frame.

Real offsets and widths are not modelled: a register is one word, so that one access is one step. Bits that software
clears by writing 1 are cleared with the functions below, in one read-modify-write step."""

from __future__ import annotations

from hw.bus import PhysAddr, Resource
from hw.fields import Field
from hw.memory import FRAME_BYTES, FRAME_WORDS, WORD_BYTES, Memory

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
        if base % FRAME_BYTES:
            raise ValueError(f"register frame at {base:#x}: it must be a multiple of {FRAME_BYTES}")
        if not 1 <= fault_records <= _MOST_RECORDS:
            raise ValueError(f"{fault_records} fault recording registers: allowed are 1..{_MOST_RECORDS}")
        self.base = base
        self.fault_records = fault_records
        self.FSTS = base
        self.FECTL = PhysAddr(base + WORD_BYTES)
        self.IQH = PhysAddr(base + 2 * WORD_BYTES)
        self.IQT = PhysAddr(base + 3 * WORD_BYTES)
        self.IQER = PhysAddr(base + 4 * WORD_BYTES)
        self.ICS = PhysAddr(base + 5 * WORD_BYTES)
        self.IECTL = PhysAddr(base + 6 * WORD_BYTES)
        self.PQH = PhysAddr(base + 7 * WORD_BYTES)
        self.PQT = PhysAddr(base + 8 * WORD_BYTES)
        self.PRS = PhysAddr(base + 9 * WORD_BYTES)
        self.PECTL = PhysAddr(base + 10 * WORD_BYTES)

    def FRCD(self, index: int) -> tuple[PhysAddr, PhysAddr]:
        """The low and the high word of a fault recording register."""
        if not 0 <= index < self.fault_records:
            raise ValueError(f"fault recording register {index}: there are {self.fault_records}")
        low = self.base + (len(_NAMES) + index * _FRCD_WORDS) * WORD_BYTES
        return PhysAddr(low), PhysAddr(low + WORD_BYTES)

    def name_of(self, address: PhysAddr) -> str:
        """The register at `address`."""
        number, rest = divmod(address - self.base, WORD_BYTES)
        words = len(_NAMES) + self.fault_records * _FRCD_WORDS
        if rest or not 0 <= number < words:
            last = self.base + (words - 1) * WORD_BYTES
            raise ValueError(f"no register at {address:#x}: they are the words {self.base:#x}..{last:#x}")
        if number < len(_NAMES):
            return _NAMES[number]
        index, half = divmod(number - len(_NAMES), _FRCD_WORDS)
        return f"FRCD[{index}].{('low', 'high')[half]}"


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
