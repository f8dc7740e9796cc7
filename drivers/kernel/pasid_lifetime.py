"""When a PASID goes back to the pool: last unbind, __mmput or __mmdrop (smmuv3 §3.6, §3.13; SMMU-R38)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from hw.bus import Resource
from hw.events.link import pasid_resource

from ..cpu import Cpu, Lock
from ..events.faults import BondEnded
from .endpoint import Endpoint
from .iommu import QuietContexts
from .memory.objects import Counted, Object
from .memory.pasid import Bond, Pasids


class Lifetime:
    """Since 2667ed10d9f0: the PASID belongs to the mm, and the bond's domain keeps the mm from __mmdrop."""

    freed_at: ClassVar[str] = "__mmdrop"
    references: ClassVar[int] = 2
    """Of mm_count: the users of the mm hold one together, the domain holds one."""

    def __init__(
        self,
        pasids: Pasids,
        contexts: QuietContexts,
        endpoint: Endpoint,
        bond: Bond,
        *,
        lock: Lock | None = None,
        left: Sequence[Resource] = (),
    ) -> None:
        """`bond` is there already. `lock` is sva_lock, for those who take it.

        `left` is a ghost: what somebody asks for as the binding leaves it.
        """
        self._left = left
        self._lock = lock
        self.count = Counted(f"{bond.mm.name} (mm_count)", references=self.references)
        self.handle = Object("iommu_sva handle")
        self._pasids = pasids
        self._contexts = contexts
        self._endpoint = endpoint
        self._bond = bond
        self.over = False
        """The binding has left the list that the release callback walks."""

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
        await self._endpoint.stop(cpu, self._bond.pasid)
        await self.handle.touch(cpu, "iommu_sva_unbind_device")
        await self.end(cpu)
        await self.handle.free(cpu)
        await self.ungrab(cpu)

    async def end(self, cpu: Cpu) -> None:
        """Take the PASID away from the device, after which the binding is over."""
        bond = self._bond
        await self.detach(cpu)
        owner = (pasid_resource(bond.pasid),)
        await cpu.access(f"bind{bond.number} of PASID {bond.pasid} is over", reads=self._left, writes=owner)
        self.over = True
        cpu.emit(BondEnded(pasid=bond.pasid, binding=bond.number))
        await self._reached(cpu, "unbind")

    async def detach(self, cpu: Cpu) -> None:
        """Take the PASID out of the device's table and out of every cache."""
        await self._contexts.clear(cpu, self._bond)

    async def ungrab(self, cpu: Cpu) -> None:
        """Give back the domain's reference to the mm (mmdrop)."""
        await self._drop(cpu)

    async def _drop(self, cpu: Cpu) -> None:
        if await self.count.put(cpu):
            await self._reached(cpu, "__mmdrop")

    async def _reached(self, cpu: Cpu, moment: str) -> None:
        if moment == self.freed_at:
            await self._pasids.free(cpu, self._bond)


class WalkedLifetime(Lifetime):
    """Where release may come after unbind: it walks a list, which unbind leaves when it has torn the entry down."""

    async def release(self, cpu: Cpu) -> None:
        """Write the release entry, unless the binding is over."""
        pasid = self._bond.pasid
        await cpu.access(f"PASID {pasid} still attached?", reads=(pasid_resource(pasid),))
        if not self.over:
            await Lifetime.release(self, cpu)


class FreedAtMmput(Lifetime):
    """BUG: frees the PASID in the exit path, where the device still has it and unbind is yet to come (701fac40384f)."""

    freed_at = "__mmput"


class FreedAtUnbind(Lifetime):
    """Up to 5.17: the PASID is counted by its bonds and goes with the last; sva_lock keeps release and unbind apart.

    BUG: a release that waits for sva_lock meanwhile writes the CD of whoever has the PASID then.
    """

    freed_at = "unbind"

    @property
    def sva_lock(self) -> Lock:
        """Given when the world was built."""
        assert self._lock is not None
        return self._lock

    async def release(self, cpu: Cpu) -> None:
        """All of it under the lock, whatever has happened before."""
        await cpu.lock(self.sva_lock)
        await self.released(cpu)
        await cpu.unlock(self.sva_lock)

    async def released(self, cpu: Cpu) -> None:
        """Write the release CD."""
        await super().release(cpu)

    async def end(self, cpu: Cpu) -> None:
        """Hold the lock meanwhile, which keeps the release callback away."""
        await cpu.lock(self.sva_lock)
        await super().end(cpu)
        await cpu.unlock(self.sva_lock)


class ReleaseAsks(FreedAtUnbind):
    """Not in any kernel: under sva_lock, release asks whether the binding is still there."""

    async def released(self, cpu: Cpu) -> None:
        """Write the release CD, unless the binding is over."""
        if not self.over:
            await super().released(cpu)


class IommuMm(Lifetime):
    """Since 6.6: a global allocator hands the PASID out, once an mm, and mm->iommu_mm has it; both go at __mmdrop."""

    def __init__(
        self, pasids: Pasids, contexts: QuietContexts, endpoint: Endpoint, bond: Bond, *, lock: Lock | None = None
    ) -> None:
        """`bond` is there already."""
        super().__init__(pasids, contexts, endpoint, bond, lock=lock)
        self.iommu_mm = Object(f"iommu_mm of {bond.mm.name}")

    async def detach(self, cpu: Cpu) -> None:
        """The domain is on a list in iommu_mm, which it leaves with its last user."""
        await super().detach(cpu)
        await self.iommu_mm.touch(cpu, "list_empty(&iommu_mm->sva_domains)")

    async def _reached(self, cpu: Cpu, moment: str) -> None:
        """mm_pasid_drop gives the PASID back, and iommu_mm is freed."""
        await super()._reached(cpu, moment)
        if moment == self.freed_at:
            await self.iommu_mm.free(cpu)


class IommuMmAtMmput(IommuMm):
    """BUG: as IommuMm, but in the exit path, before the unbind that still needs it (compare 701fac40384f)."""

    freed_at = "__mmput"


LIFETIMES: dict[str, type[Lifetime]] = {
    "unbind": FreedAtUnbind,
    "unbind-asks": ReleaseAsks,
    "mmput": FreedAtMmput,
    "mmdrop": Lifetime,
    "iommu-mm": IommuMm,
    "iommu-mm-mmput": IommuMmAtMmput,
}
