"""When a PASID goes back to the pool: last unbind, __mmput or __mmdrop (domain/smmuv3 §3.6, §3.13; R38)."""

from __future__ import annotations

from typing import ClassVar

from hw.events import pasid_resource

from .cpu import Cpu
from .endpoint import Endpoint
from .fault_events import BondEnded
from .lifetime import Counted, Object
from .pasid import Bond, Pasids
from .quiet import QuietContexts


class Lifetime:
    """Since 2667ed10d9f0: the PASID belongs to the mm, and the bond's domain keeps the mm from __mmdrop."""

    freed_at: ClassVar[str] = "__mmdrop"

    def __init__(self, pasids: Pasids, contexts: QuietContexts, endpoint: Endpoint, bond: Bond) -> None:
        """The users of the mm hold one reference together, the domain holds one."""
        self.count = Counted(f"{bond.mm.name} (mm_count)", references=2)
        self.handle = Object("iommu_sva handle")
        self._pasids = pasids
        self._contexts = contexts
        self._endpoint = endpoint
        self._bond = bond

    async def exit(self, cpu: Cpu) -> None:
        """The process dies: __mmput with exit_mmap in it, then the users' mm_count goes."""
        mm = self._bond.mm
        if await mm.put(cpu):
            await mm.exit_mmap(cpu)
            await self._reached(cpu, "__mmput")
            await self._drop(cpu)

    async def release(self, cpu: Cpu) -> None:
        """mmu_notifier release: translation ends; the PASID stays programmed."""
        await self._contexts.quiet(cpu, self._bond)

    async def unbind(self, cpu: Cpu) -> None:
        """The device file is closed for the last time."""
        bond = self._bond
        await self._endpoint.stop(cpu, bond.pasid)
        await self.handle.touch(cpu, "iommu_sva_unbind_device")
        await self.detach(cpu)
        await cpu.access(f"bind{bond.number} of PASID {bond.pasid} is over", writes=(pasid_resource(bond.pasid),))
        cpu.emit(BondEnded(pasid=bond.pasid, binding=bond.number))
        await self._reached(cpu, "unbind")
        await self.handle.free(cpu)
        await self._drop(cpu)

    async def detach(self, cpu: Cpu) -> None:
        """Take the PASID out of the device's table and out of every cache."""
        await self._contexts.clear(cpu, self._bond)

    async def _drop(self, cpu: Cpu) -> None:
        if await self.count.put(cpu):
            await self._reached(cpu, "__mmdrop")

    async def _reached(self, cpu: Cpu, moment: str) -> None:
        if moment == self.freed_at:
            await self._pasids.free(cpu, self._bond)


class FreedAtMmput(Lifetime):
    """BUG: frees the PASID in the exit path, where the device still has it and unbind is yet to come (701fac40384f)."""

    freed_at = "__mmput"


class FreedAtUnbind(Lifetime):
    """Up to 5.17: the PASID is counted by its bonds and goes with the last one."""

    freed_at = "unbind"


LIFETIMES: dict[str, type[Lifetime]] = {"unbind": FreedAtUnbind, "mmput": FreedAtMmput, "mmdrop": Lifetime}
