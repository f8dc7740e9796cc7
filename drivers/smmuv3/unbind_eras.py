"""What an unbind waits for, and what protects it from the mm's end, from the series of 2020 to 7.1 (smmuv3 §3.5,
§3.6, §3.13, §3.15, §4.4). Eras are differences: who looks the mm up and when, when the PASID goes back, what `detach`
drains or removes, and which locks bind, unbind and mm release take.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from hw.bus import Resource
from hw.events.link import pasid_resource

from ..cpu import Cpu, Lock
from ..events.binding import PasidFreed
from ..events.faults import BondEnded, UnbindReturned
from ..kernel.endpoint import Endpoint
from ..kernel.memory.mm import Mm
from ..kernel.memory.objects import Object
from ..kernel.memory.pasid import Bond, Pasids
from ..kernel.pasid_lifetime import Lifetime
from .evtq import BatchEventQueue, DrainableEventQueue, EventQueue
from .quiet import StallContexts
from .stall_faults import IopfCore, KeepsPending, LateLookUp

DEVICES: Resource = ("SVA domain", "devices")
"""The list of masters whose CD points to the domain's mm; devices_lock protects it."""
NOTIFIERS: Resource = ("mm", "notifiers")
"""Who is told when the mm ends."""


class PasidArray(Pasids):
    """Since 6.11 the handle of a PASID leaves the group's array at detach, and the PASID itself goes back later."""

    async def erase(self, cpu: Cpu, bond: Bond) -> None:
        """xa_erase: from here faults find no handler; one step."""
        await cpu.access(f"xa_erase(pasid_array, {bond.pasid})", writes=(pasid_resource(bond.pasid),))
        del self._bonds[bond.pasid]

    async def free(self, cpu: Cpu, bond: Bond) -> None:
        """Give the PASID back, whether its handle is still there or not."""
        await cpu.access(f"free PASID {bond.pasid}", writes=(pasid_resource(bond.pasid),))
        self._bonds.pop(bond.pasid, None)
        self._free.append(bond.pasid)
        cpu.emit(PasidFreed(pasid=bond.pasid, binding=bond.number))


@dataclass(slots=True, kw_only=True)
class Parts:
    """What an era works with; `handles` are the attach handles by binding, `locks` the locks by their kernel names."""

    pasids: PasidArray
    contexts: StallContexts
    endpoint: Endpoint
    queue: EventQueue
    core: IopfCore
    handles: dict[int, Object]
    locks: dict[str, Lock]


class Unbind(Lifetime):
    """7.1: CD, iopf_queue_remove_device with the last fault user, TLB, xa_erase; nothing is waited for.

    The release callback takes none of the locks but devices_lock: it may come before, during or after.
    """

    outer: ClassVar[tuple[str, ...]] = ("iommu_sva_lock", "group->mutex")
    """What bind and unbind hold from beginning to end, outermost first."""
    inner: ClassVar[tuple[str, ...]] = ("arm_smmu_asid_lock",)
    """What they hold inside those while the driver is at work."""

    def __init__(self, parts: Parts, bond: Bond) -> None:
        super().__init__(parts.pasids, parts.contexts, parts.endpoint, bond)
        self._parts = parts
        self.domain = Object(f"SVA domain of {bond.mm.name}")
        self.attached = True
        self.notified = True
        self.handle.name = f"attach handle of bind{bond.number}"
        parts.handles[bond.number] = self.handle

    async def take(self, cpu: Cpu, names: tuple[str, ...]) -> None:
        """Take the locks, the outermost first."""
        for name in names:
            await cpu.lock(self._parts.locks[name])

    async def give(self, cpu: Cpu, names: tuple[str, ...]) -> None:
        """Give the same locks back, the innermost first."""
        for name in reversed(names):
            await cpu.unlock(self._parts.locks[name])

    async def bind(self, cpu: Cpu, mm: Mm) -> None:
        """Somebody else binds: the PASID, the fault user, the CD."""
        parts = self._parts
        bond = await parts.pasids.allocate(cpu, mm)
        parts.handles[bond.number] = Object(f"attach handle of bind{bond.number}")
        await self.take(cpu, (*self.outer, *self.inner))
        await self.enable_iopf(cpu)
        await parts.contexts.write(cpu, bond)
        await self.give(cpu, (*self.outer, *self.inner))

    async def enable_iopf(self, cpu: Cpu) -> None:
        """The first fault user of the device."""
        await self._parts.core.add_device(cpu)

    async def unbind(self, cpu: Cpu) -> None:
        """Undo the binding, up to the return of unbind."""
        bond = self._bond
        await self._parts.endpoint.stop(cpu, bond.pasid)
        await self.handle.touch(cpu, "iommu_sva_unbind_device")
        await self.prepare(cpu)
        await self.take(cpu, self.outer)
        await self.detach(cpu)
        await cpu.access(f"bind{bond.number} of PASID {bond.pasid} is over", writes=(pasid_resource(bond.pasid),))
        cpu.emit(BondEnded(pasid=bond.pasid, binding=bond.number))
        await self._reached(cpu, "unbind")
        await self.give(cpu, self.outer)
        await self.handle.free(cpu)
        await self._drop(cpu)
        await cpu.access(f"unbind of PASID {bond.pasid} returns", writes=(pasid_resource(bond.pasid),))
        cpu.emit(UnbindReturned(pasid=bond.pasid, binding=bond.number))

    async def prepare(self, cpu: Cpu) -> None:
        """Nothing is done before the locks are taken."""

    async def detach(self, cpu: Cpu) -> None:
        """arm_smmu_blocking_set_dev_pasid and what the core does around it."""
        parts, bond = self._parts, self._bond
        await self.take(cpu, self.inner)
        await parts.contexts.disconnect(cpu, bond)
        await self.settle(cpu)
        await self.leave(cpu)
        await self.disable_iopf(cpu)
        await parts.contexts.invalidate(cpu, bond)
        await self.give(cpu, self.inner)
        await self.erase(cpu)
        await self.drop_domain(cpu)

    async def settle(self, cpu: Cpu) -> None:
        """BUG: nothing, when no new record can come; what is in EVTQ or work queue outlives the bond."""

    async def leave(self, cpu: Cpu) -> None:
        """list_del under devices_lock, behind the CD: who has walked the list may write the CD once more."""
        await self.take(cpu, ("devices_lock",))
        await cpu.access("list_del(master_domain)", writes=(DEVICES,))
        self.attached = False
        await self.give(cpu, ("devices_lock",))

    async def disable_iopf(self, cpu: Cpu) -> None:
        """The last fault user of the device."""
        await self._parts.core.remove_device(cpu)

    async def erase(self, cpu: Cpu) -> None:
        """New faults find no handler."""
        await self._parts.pasids.erase(cpu, self._bond)

    async def drop_domain(self, cpu: Cpu) -> None:
        """Its last user has gone: off the lists of the mm, then iommu_domain_free."""
        await self.domain.touch(cpu, "list_del(&domain->next)")
        await self.free_domain(cpu)

    async def free_domain(self, cpu: Cpu) -> None:
        """What a release that is under way looks at stays until SRCU lets it go."""
        await self.put_notifier(cpu)
        await self.domain.free(cpu)

    async def put_notifier(self, cpu: Cpu) -> None:
        """The domain goes, and its notifier leaves the mm; one that is being called is not waited for (SRCU)."""
        await cpu.access("mmu_notifier_put", writes=(NOTIFIERS,))
        self.notified = False

    async def release(self, cpu: Cpu) -> None:
        """arm_smmu_mm_release, if the notifier is still there when the mm ends."""
        await cpu.access("mmu_notifier_release", reads=(NOTIFIERS,))
        if self.notified:
            await self.released(cpu)

    async def released(self, cpu: Cpu) -> None:
        """Every master on the list gets the release CD, with devices_lock held; then TLB and ATC."""
        contexts, bond = self._parts.contexts, self._bond
        await self.take(cpu, ("devices_lock",))
        await cpu.access("walk the devices", reads=(DEVICES,))
        if self.attached:
            await contexts.write_release(cpu, bond)
        await self.give(cpu, ("devices_lock",))
        await contexts.invalidate(cpu, bond)


class FlushesWork(Unbind):
    """BUG: 7.1 with the work queue flushed, as AMD's driver does: a record that is still in the EVTQ comes later."""

    async def settle(self, cpu: Cpu) -> None:
        """Wait for the works that are queued."""
        await self._parts.core.flush(cpu)


class DrainsAll(Unbind):
    """7.1 with EVTQ and work queue drained, as Intel's driver does: what the documented contract asks for."""

    async def settle(self, cpu: Cpu) -> None:
        """Every record there is becomes a work, every work is done."""
        await self._parts.queue.drain(cpu)
        await self._parts.core.flush(cpu)


class LeavesListFirst(Unbind):
    """Not in any kernel: the master leaves the list before its CD is cleared, so a release after that skips it."""

    async def detach(self, cpu: Cpu) -> None:
        """list_del, then all that 7.1 does."""
        await super().leave(cpu)
        await super().detach(cpu)

    async def leave(self, cpu: Cpu) -> None:
        """The master has left the list already."""


class ListsLate(Unbind):
    """BUG: up to 06e14c36e20b: the bookkeeping comes behind iommu_domain_free."""

    async def drop_domain(self, cpu: Cpu) -> None:
        """Free the domain, then take it off the list."""
        await self.free_domain(cpu)
        await self.domain.touch(cpu, "list_del(&domain->next)")


class Unbind611(Unbind):
    """BUG: 6.11: the fault keeps the raw handle, and its device stays in the fault queue after unbind."""

    async def enable_iopf(self, cpu: Cpu) -> None:
        """The device driver has enabled the feature long ago."""

    async def disable_iopf(self, cpu: Cpu) -> None:
        """The device driver disables the feature some time later."""


class Unbind518(Unbind611):
    """5.18: one sva_lock for bind, unbind and release; the worker looks the mm up by PASID, which goes at __mmdrop.

    BUG: a release that waits for sva_lock finds, when unbind gives it back, the CD cleared and the shared cd freed.
    """

    outer = ("group->mutex", "sva_lock")
    inner = ()

    def __init__(self, parts: Parts, bond: Bond) -> None:
        super().__init__(parts, bond)
        self.shared = Object(f"shared cd of {bond.mm.name}")
        self._cleared = False

    async def detach(self, cpu: Cpu) -> None:
        """arm_smmu_mmu_notifier_put: CD, TLB unless release has seen to it, notifier, shared cd."""
        parts, bond = self._parts, self._bond
        await parts.contexts.disconnect(cpu, bond)
        await self.settle(cpu)
        if not self._cleared:
            await parts.contexts.invalidate(cpu, bond)
        await self.put_notifier(cpu)
        await self.shared.free(cpu)

    async def released(self, cpu: Cpu) -> None:
        """All of it under sva_lock; the CD table is the domain's, so no list is asked."""
        contexts, bond = self._parts.contexts, self._bond
        await self.take(cpu, ("sva_lock",))
        await contexts.write_release(cpu, bond)
        await self.shared.touch(cpu, "smmu_mn->cd->asid")
        await contexts.invalidate(cpu, bond)
        self._cleared = True
        await self.give(cpu, ("sva_lock",))


class Unbind514(Unbind518):
    """BUG: 5.14: as 5.18, but the PASID goes back with the last unbind, whatever is still on its way."""

    freed_at = "unbind"


class Unbind2020(Unbind514):
    """Series v4 to v7 of 2020: as 5.14, after a flush of the event queue and of the work queue."""

    async def prepare(self, cpu: Cpu) -> None:
        """arm_smmu_flush_evtq, then iopf_queue_flush_dev, then the locked part."""
        queue = self._parts.queue
        assert isinstance(queue, BatchEventQueue)
        await queue.flush(cpu)
        await self._parts.core.flush(cpu)


class Unbind2020Flag(Unbind2020):
    """BUG: the RFC of October 2020: no flush unless the caller says IOMMU_UNBIND_FAULT_PENDING, and a driver whose
    device stalls does not, as stopping the device ends every stall. An early retry ends the stall, not its record."""

    async def prepare(self, cpu: Cpu) -> None:
        """The flag is not given, so nothing is flushed."""


@dataclass(frozen=True, slots=True)
class Era:
    """What changed from era to era."""

    unbind: type[Unbind]
    core: type[IopfCore]
    queue: type[EventQueue]

    def locks(self, mutex: Callable[[str], Lock], spinlock: Callable[[str], Lock]) -> dict[str, Lock]:
        """The locks of the era by name."""
        names = (*self.unbind.outer, *self.unbind.inner)
        return {name: mutex(name) for name in names} | {"devices_lock": spinlock("devices_lock")}


ERAS: dict[str, Era] = {
    "2020": Era(Unbind2020, LateLookUp, BatchEventQueue),
    "2020-flag": Era(Unbind2020Flag, LateLookUp, BatchEventQueue),
    "5.14": Era(Unbind514, LateLookUp, EventQueue),
    "5.18": Era(Unbind518, LateLookUp, EventQueue),
    "6.11": Era(Unbind611, IopfCore, EventQueue),
    "7.1": Era(Unbind, IopfCore, EventQueue),
    "7.1-keep": Era(Unbind, KeepsPending, EventQueue),
    "7.1-flush": Era(FlushesWork, IopfCore, EventQueue),
    "7.1-drain": Era(DrainsAll, IopfCore, DrainableEventQueue),
    "7.1-late-list": Era(ListsLate, IopfCore, EventQueue),
    "7.1-leave-first": Era(LeavesListFirst, IopfCore, EventQueue),
}
