"""The SMMU's registers that matter for SVA (smmuv3 §1.6), one word each in one MMIO frame."""

from __future__ import annotations

from hw.bus import PhysAddr
from hw.fields import Field
from hw.registers import name_at, words_of

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
        self.base = base
        (
            self.CR0,
            self.GERROR,
            self.GERRORN,
            self.CMDQ_PROD,
            self.CMDQ_CONS,
            self.EVTQ_PROD,
            self.EVTQ_CONS,
            self.PRIQ_PROD,
            self.PRIQ_CONS,
        ) = words_of(base, len(_NAMES))

    def name_of(self, address: PhysAddr) -> str:
        """The register at `address`."""
        return name_at(address, self.base, _NAMES)


ENABLED = SMMUEN.mask | PRIQEN.mask | EVTQEN.mask | CMDQEN.mask
"""CR0 of an SMMU that works."""


def active_errors(gerror: int, gerrorn: int) -> int:
    """The GERROR bits that software has not acknowledged: those that differ from GERRORN."""
    return gerror ^ gerrorn
