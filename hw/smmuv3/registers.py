"""The SMMU's registers that matter for SVA (smmuv3.md section 1.6), one 64-bit word each in one MMIO frame.

Real offsets and 32-bit widths are not modelled: a register is one word, so that one access is one step."""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.fields import Field
from hw.memory import FRAME_BYTES, WORD_BYTES

SMMUEN = Field(0, 1)
PRIQEN = Field(1, 1)
EVTQEN = Field(2, 1)
CMDQEN = Field(3, 1)
ATSCHK = Field(4, 1)

CMDQ_ERR = Field(0, 1)
EVTQ_ABT_ERR = Field(2, 1)
PRIQ_ABT_ERR = Field(3, 1)
MSI_CMDQ_ABT_ERR = Field(4, 1)
MSI_EVTQ_ABT_ERR = Field(5, 1)
MSI_PRIQ_ABT_ERR = Field(6, 1)
MSI_GERROR_ABT_ERR = Field(7, 1)
SFM_ERR = Field(8, 1)

CMDQ_CONS_ERR = Field(24, 7)
"""Why the command queue stopped: a value of `commands.Cerror`."""

_NAMES = (
    "CR0",
    "GERROR",
    "GERRORN",
    "CMDQ_PROD",
    "CMDQ_CONS",
    "EVTQ_PROD",
    "EVTQ_CONS",
    "PRIQ_PROD",
    "PRIQ_CONS",
)


class Registers:
    """Where each register of one SMMU lies."""

    __slots__ = (*_NAMES, "base")

    def __init__(self, base: PhysAddr) -> None:
        """Lay the registers out from the start of the frame at `base`."""
        if base % FRAME_BYTES:
            raise ValueError(f"register frame at {base:#x}: it must be a multiple of {FRAME_BYTES}")
        self.base = base
        self.CR0 = base
        self.GERROR = PhysAddr(base + WORD_BYTES)
        self.GERRORN = PhysAddr(base + 2 * WORD_BYTES)
        self.CMDQ_PROD = PhysAddr(base + 3 * WORD_BYTES)
        self.CMDQ_CONS = PhysAddr(base + 4 * WORD_BYTES)
        self.EVTQ_PROD = PhysAddr(base + 5 * WORD_BYTES)
        self.EVTQ_CONS = PhysAddr(base + 6 * WORD_BYTES)
        self.PRIQ_PROD = PhysAddr(base + 7 * WORD_BYTES)
        self.PRIQ_CONS = PhysAddr(base + 8 * WORD_BYTES)

    def name_of(self, address: PhysAddr) -> str:
        """The register at `address`."""
        number, rest = divmod(address - self.base, WORD_BYTES)
        if rest or not 0 <= number < len(_NAMES):
            last = self.base + (len(_NAMES) - 1) * WORD_BYTES
            raise ValueError(f"no register at {address:#x}: they are the words {self.base:#x}..{last:#x}")
        return _NAMES[number]


def active_errors(gerror: int, gerrorn: int) -> int:
    """The GERROR bits that software has not acknowledged: those that differ from GERRORN."""
    return gerror ^ gerrorn
