"""The remove() of a device's driver: what it does to the device, to its translation, and to the memory it works on."""

from __future__ import annotations

from ..cpu import Cpu
from .endpoint import Endpoint
from .iommu import Contexts
from .memory.mm import Mm
from .memory.pasid import Bond


class Removal:
    """Halt the device's DMA, then end its translation, then free its memory. The right order."""

    def __init__(self, endpoint: Endpoint, contexts: Contexts, bond: Bond) -> None:
        """`bond` is what the device translates through; the memory is that address space's."""
        self._endpoint = endpoint
        self._contexts = contexts
        self._bond = bond

    async def run(self, cpu: Cpu) -> None:
        """remove(), and what is freed behind it (devres)."""
        await self.remove(cpu)
        await self.free(cpu, self._bond.mm)

    async def remove(self, cpu: Cpu) -> None:
        """Nothing of the device comes any more when this returns."""
        await self.halt(cpu)
        await self.unmap(cpu)

    async def halt(self, cpu: Cpu) -> None:
        """In whatever way is the device's own."""
        await self._endpoint.stop(cpu, self._bond.pasid)

    async def unmap(self, cpu: Cpu) -> None:
        """Entry, TLB, ATC."""
        await self._contexts.clear(cpu, self._bond)

    async def free(self, cpu: Cpu, mm: Mm) -> None:
        """The buffer."""
        for page in mm.pages:
            await mm.unmap(cpu, page)


class UnmapsFirst(Removal):
    """BUG: changes the translation of a device that works; which meets errors that nobody expects."""

    async def remove(self, cpu: Cpu) -> None:
        """The other way round."""
        await self.unmap(cpu)
        await self.halt(cpu)


class NeverHalts(Removal):
    """BUG: leaves the device to the end of its translation, which is no halt."""

    async def halt(self, cpu: Cpu) -> None:
        """Nothing."""


class FreesFirst(Removal):
    """BUG: the buffer is freed, and somebody else has its page, while the device still works on it."""

    async def remove(self, cpu: Cpu) -> None:
        """The memory before the device."""
        await self.free(cpu, self._bond.mm)
        await Removal.remove(self, cpu)


REMOVALS: dict[str, type[Removal]] = {
    "unmap-first": UnmapsFirst,
    "never": NeverHalts,
    "free-first": FreesFirst,
    "halt-first": Removal,
}
