"""BTM-era SVA shares the CPU's ASID, pinned in the mm from bind to unbind (smmuv3 §3.6, §3.15; SMMU-R32)."""

from __future__ import annotations

from ..cpu import Cpu
from ..kernel.memory.objects import Counted


class AsidPin:
    """As since cbd23144f766: the mm is grabbed while its ASID is pinned."""

    def __init__(self, mm: Counted) -> None:
        self._mm = mm
        self._grabbed = False

    async def bind(self, cpu: Cpu) -> None:
        """arm64_mm_context_get: the ASID stays this mm's."""
        await self.grab(cpu)
        await self._mm.touch(cpu, "arm64_mm_context_get")

    async def grab(self, cpu: Cpu) -> None:
        """Take a reference to the mm (mmgrab)."""
        await self._mm.get(cpu)
        self._grabbed = True

    async def unbind(self, cpu: Cpu) -> None:
        """arm64_mm_context_put, then mmdrop if there was an mmgrab."""
        await self._mm.touch(cpu, "arm64_mm_context_put")
        if self._grabbed:
            await self._mm.put(cpu)


class PinWithoutGrab(AsidPin):
    """BUG: keeps no reference, so that the last mmdrop frees the mm, and unbind unpins through freed memory."""

    async def grab(self, cpu: Cpu) -> None:
        """No reference is taken."""


PIN: dict[str, type[AsidPin]] = {"no-grab": PinWithoutGrab, "grab": AsidPin}
