"""What a bond must hold of its address space until unbind, and what goes wrong where it does not (VTD-R12, VTD-R13)."""

from __future__ import annotations

from ..cpu import Cpu
from .pasid_lifetime import FreedAtMmput, Lifetime


class WithoutGrab(Lifetime):
    """BUG: the bond holds no reference, so that __mmdrop comes with the exit, whoever still has the device file."""

    references = 1

    async def ungrab(self, cpu: Cpu) -> None:
        """No reference is held, so none is given back."""


class PinsAsid(Lifetime):
    """BTM-era SVA on SMMUv3 shares the CPU's ASID, which is pinned in the mm until unbind (smmuv3 §3.6)."""

    async def detach(self, cpu: Cpu) -> None:
        """arm64_mm_context_put, when nothing translates with it any more."""
        await Lifetime.detach(self, cpu)
        await self.count.touch(cpu, "arm64_mm_context_put")


class PinsAsidFreedAtMmput(PinsAsid, FreedAtMmput):
    """BUG: the same as without an ASID: the PASID goes back while the device has it (VTD-R12)."""


class PinsAsidWithoutGrab(PinsAsid, WithoutGrab):
    """BUG: unbind unpins the ASID of an mm that was freed (cbd23144f766; VTD-R13)."""
