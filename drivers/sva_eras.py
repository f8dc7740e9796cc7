"""What an unbind waits for, from the series of 2020 to 7.1, eras as differences (domain/smmuv3 §3.5, §3.13, §4.4).

Which facts an era has: who looks the mm up and when, when the PASID goes back, and what `detach` drains or removes.
"""

from __future__ import annotations

from dataclasses import dataclass

from hw.events import pasid_resource

from .cpu import Cpu, Lock
from .endpoint import Endpoint
from .events import PasidFreed
from .evtq import BatchEventQueue, DrainableEventQueue, EventQueue
from .fault_events import UnbindReturned
from .iopf_core import IopfCore, KeepsPending, LateLookUp
from .lifetime import Object
from .mm import Mm
from .pasid import Bond, Pasids
from .pasid_lifetime import Lifetime
from .quiet import StallContexts


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
    """What an era works with; `handles` are the attach handles by binding."""

    pasids: PasidArray
    contexts: StallContexts
    endpoint: Endpoint
    queue: EventQueue
    core: IopfCore
    handles: dict[int, Object]
    lock: Lock


class Unbind(Lifetime):
    """7.1: CD, iopf_queue_remove_device with the last fault user, TLB, xa_erase; nothing is waited for."""

    def __init__(self, parts: Parts, bond: Bond) -> None:
        super().__init__(parts.pasids, parts.contexts, parts.endpoint, bond)
        self._parts = parts
        self.handle.name = f"attach handle of bind{bond.number}"
        parts.handles[bond.number] = self.handle

    async def bind(self, cpu: Cpu, mm: Mm) -> None:
        """Somebody else binds: the PASID, the fault user, the CD."""
        parts = self._parts
        bond = await parts.pasids.allocate(cpu, mm)
        parts.handles[bond.number] = Object(f"attach handle of bind{bond.number}")
        await self.enable_iopf(cpu)
        await parts.contexts.write(cpu, bond)

    async def enable_iopf(self, cpu: Cpu) -> None:
        """The first fault user of the device."""
        await self._parts.core.add_device(cpu)

    async def unbind(self, cpu: Cpu) -> None:
        """Until it returns."""
        pasid, binding = self._bond.pasid, self._bond.number
        await super().unbind(cpu)
        await cpu.access(f"unbind of PASID {pasid} returns", writes=(pasid_resource(pasid),))
        cpu.emit(UnbindReturned(pasid=pasid, binding=binding))

    async def detach(self, cpu: Cpu) -> None:
        """arm_smmu_blocking_set_dev_pasid and what the core does around it."""
        parts, bond = self._parts, self._bond
        await self.prepare(cpu)
        await cpu.lock(parts.lock)
        await parts.contexts.disconnect(cpu, bond)
        await self.settle(cpu)
        await self.disable_iopf(cpu)
        await parts.contexts.invalidate(cpu, bond)
        await self.erase(cpu)
        await cpu.unlock(parts.lock)

    async def prepare(self, cpu: Cpu) -> None:
        """Nothing, before the locks are taken."""

    async def settle(self, cpu: Cpu) -> None:
        """BUG: nothing, when no new record can come; what is in EVTQ or work queue outlives the bond."""

    async def disable_iopf(self, cpu: Cpu) -> None:
        """The last fault user of the device."""
        await self._parts.core.remove_device(cpu)

    async def erase(self, cpu: Cpu) -> None:
        """New faults find no handler."""
        await self._parts.pasids.erase(cpu, self._bond)


class FlushesWork(Unbind):
    """BUG: 7.1 with the work queue flushed, as AMD's driver does: a record that is still in the EVTQ comes later."""

    async def settle(self, cpu: Cpu) -> None:
        """The works that are queued."""
        await self._parts.core.flush(cpu)


class DrainsAll(Unbind):
    """7.1 with EVTQ and work queue drained, as Intel's driver does: what the documented contract asks for."""

    async def settle(self, cpu: Cpu) -> None:
        """Every record there is becomes a work, every work is done."""
        await self._parts.queue.drain(cpu)
        await self._parts.core.flush(cpu)


class Unbind611(Unbind):
    """BUG: 6.11: the fault keeps the raw handle, and its device stays in the fault queue after unbind."""

    async def enable_iopf(self, cpu: Cpu) -> None:
        """The device driver has enabled the feature long ago."""

    async def disable_iopf(self, cpu: Cpu) -> None:
        """The device driver disables the feature some time later."""


class Unbind518(Unbind611):
    """5.18: the worker looks the mm up by PASID, which goes back at __mmdrop."""

    async def erase(self, cpu: Cpu) -> None:
        """The PASID leads to its mm as long as it is allocated."""


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


@dataclass(frozen=True, slots=True)
class Era:
    """The three things that changed from era to era."""

    unbind: type[Unbind]
    core: type[IopfCore]
    queue: type[EventQueue]


ERAS: dict[str, Era] = {
    "2020": Era(Unbind2020, LateLookUp, BatchEventQueue),
    "5.14": Era(Unbind514, LateLookUp, EventQueue),
    "5.18": Era(Unbind518, LateLookUp, EventQueue),
    "6.11": Era(Unbind611, IopfCore, EventQueue),
    "7.1": Era(Unbind, IopfCore, EventQueue),
    "7.1-keep": Era(Unbind, KeepsPending, EventQueue),
    "7.1-flush": Era(FlushesWork, IopfCore, EventQueue),
    "7.1-drain": Era(DrainsAll, IopfCore, DrainableEventQueue),
}
