"""RID attach of a master whose endpoint has an ATC (smmuv3 §2.3, §3.3, §3.7): when ATS is switched, and whose
invalidations reach the endpoint meanwhile (races SMMU-R16, SMMU-R17, SMMU-R19, SMMU-R21)."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from drivers.cpu import Cpu, OwnCpu
from drivers.events.attach import AtcListed, AtcsFound, AttachReturned, PageFreed, attached_resource, invs_resource
from hw.bus import PhysAddr, VirtAddr
from hw.memory import FrameAllocator
from hw.paging.aarch64 import OUTPUT_ADDRESS
from hw.smmuv3 import commands
from hw.smmuv3.commands import ATC_INV_EVERYTHING
from hw.smmuv3.ste import AtsMode

from .invalidations import Invalidations
from .rid import VMID, AsidTable, Domain, Master, RidContexts
from .variants import HitlessAndFlushed

FRAMES = ("frames",)
Then = Callable[[Cpu], Coroutine[Any, Any, None]]


class AtsFunction(Protocol):
    """The ATS capability of an endpoint, in its configuration space."""

    async def switch_ats(self, cpu: OwnCpu, on: bool) -> None:
        """Write ATS Enable; the completion may pass what the endpoint has posted before (vtd-pcie §1.1)."""
        ...

    async def read(self, cpu: OwnCpu, what: str) -> None:
        """Read it back: the data passes nothing, so what was posted before has arrived."""
        ...


class ReadWriteLock(Protocol):
    """The lock of a domain's invalidation array; a primitive of whatever runs the driver, and of its own threads."""

    async def acquire_read(self, cpu: OwnCpu) -> None:
        """Wait until nobody writes."""
        ...

    async def release_read(self, cpu: OwnCpu) -> None:
        """Give the lock back that was taken for reading."""
        ...

    async def acquire_write(self, cpu: OwnCpu) -> None:
        """Wait until nobody reads or writes."""
        ...

    async def release_write(self, cpu: OwnCpu) -> None:
        """Give the lock back that was taken for writing."""
        ...


class AtcList:
    """The masters whose ATC a domain's invalidations must reach, under invs->rwlock."""

    def __init__(self, domain: Domain, lock: ReadWriteLock) -> None:
        self.domain = domain
        self.lock = lock
        self.masters: list[Master] = []
        self.resource = invs_resource(domain.name)

    async def change(self, cpu: Cpu, master: Master, *, listed: bool, then: Then | None = None) -> None:
        """Add or remove a master, while no invalidation is under way, and do `then` under the same lock."""
        await self.lock.acquire_write(cpu)
        await cpu.access(f"{'add ATC of' if listed else 'drop ATC of'} {master.name}", writes=(self.resource,))
        if listed:
            self.masters.append(master)
        else:
            self.masters.remove(master)
        cpu.emit(AtcListed(domain=self.domain.name, who=master.name, listed=listed))
        if then is not None:
            await then(cpu)
        await self.lock.release_write(cpu)

    async def invalidate(self, cpu: Cpu, invalidations: Invalidations, address: VirtAddr) -> None:
        """TLBI and SYNC, then ATC_INV and SYNC for each master (smmuv3 §3.7)."""
        await self.lock.acquire_read(cpu)
        await cpu.access(f"read {self.domain.name}->invs", reads=(self.resource,))
        masters = list(self.masters)
        cpu.emit(AtcsFound(domain=self.domain.name, who=tuple(master.name for master in masters)))
        asid = await self.domain.read_asid(cpu)
        await invalidations.sync(cpu, commands.tlbi_nh_va(VMID, asid, address))
        for master in masters:
            await invalidations.sync(cpu, commands.atc_inv(master.sid, None, address, 0))
        await self.lock.release_read(cpu)


async def unmap_page(
    cpu: Cpu, invs: AtcList, invalidations: Invalidations, leaf: PhysAddr, address: VirtAddr, frames: FrameAllocator
) -> None:
    """Take a page out of a domain: PTE, TLB, ATCs; then somebody else may have it."""
    page = PhysAddr(await cpu.load(leaf, "PTE") & OUTPUT_ADDRESS.mask)
    await cpu.store(leaf, 0, "PTE")
    await invs.invalidate(cpu, invalidations, address)
    await cpu.access(f"free page {page:#x}", writes=(FRAMES,))
    frames.free(page)
    cpu.emit(PageFreed(page=page, domain=invs.domain.name))


class AtsAttach(HitlessAndFlushed):
    """7.1: on both domains' lists while CD and STE change, and the ATC flushed before the old list is left."""

    def __init__(
        self,
        asids: AsidTable,
        contexts: RidContexts,
        function: AtsFunction,
        lists: dict[str, AtcList],
        *,
        now: bool,
        then: bool,
    ) -> None:
        """`now` and `then`: whether ATS is on before and after."""
        super().__init__(asids, contexts, tlbi=False)
        self.function = function
        self.lists = lists
        self.now = now
        self.then = then

    def eats(self) -> AtsMode:
        """What the new STE says of ATS."""
        return AtsMode.FULL if self.then else AtsMode.REFUSED

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Prepare, write, commit."""
        old = master.domain
        await self.finalise(cpu, new)
        await self.asids.lock(cpu)
        await self.prepare(cpu, master, old, new)
        await self.contexts.write(cpu, master, new)
        await self.install(cpu, master, new)
        await self.commit(cpu, master, old)
        await self.asids.unlock(cpu)
        await cpu.access("attach_dev returns", writes=(attached_resource(master.sid),))
        cpu.emit(AttachReturned(who=master.name, domain=new.name))

    async def prepare(self, cpu: Cpu, master: Master, old: Domain, new: Domain) -> None:
        """Both domains' invalidations reach the ATC from here; an endpoint that is to lose ATS loses it first."""
        await self.link(cpu, master, new)
        if self.then:
            await self.lists[new.name].change(cpu, master, listed=True)
        if self.now and not self.then:
            await self.function.switch_ats(cpu, False)

    async def commit(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """Flush the ATC; let the endpoint ask; leave the old domain."""
        await self.flush_atc(cpu, master)
        if self.then and not self.now:
            await self.function.switch_ats(cpu, True)
        await self.leave(cpu, master, old)

    async def flush_atc(self, cpu: Cpu, master: Master) -> None:
        """ATC_INV of everything, and SYNC."""
        everything = commands.atc_inv(master.sid, None, VirtAddr(0), ATC_INV_EVERYTHING)
        await self.invalidations.sync(cpu, everything)

    async def leave(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """Off the old domain's lists; TLBI if nobody is left there."""
        if self.now:
            await self.lists[old.name].change(cpu, master, listed=False)
        await self.unlink(cpu, master, old)
        await self.left(cpu, old)


class TrustsSwitch(AtsAttach):
    """BUG: does not flush; an endpoint that keeps ATS goes on with translations of the old domain (SMMU-R16)."""

    async def flush_atc(self, cpu: Cpu, master: Master) -> None:
        """The ATC is not flushed."""


class LeavesFirst(AtsAttach):
    """BUG: off the old lists before the STE is switched: an unmap there misses an ATC that is in use (SMMU-R19)."""

    async def prepare(self, cpu: Cpu, master: Master, old: Domain, new: Domain) -> None:
        """Leave the old lists, then enter the new ones."""
        await self.leave(cpu, master, old)
        await super().prepare(cpu, master, old, new)

    async def commit(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """There is nothing to leave any more."""
        await self.flush_atc(cpu, master)
        if self.then and not self.now:
            await self.function.switch_ats(cpu, True)


class SwitchesTooSoon(AtsAttach):
    """BUG: lets the endpoint ask while the STE still says no, so its Translation Requests get UR (SMMU-R17)."""

    async def prepare(self, cpu: Cpu, master: Master, old: Domain, new: Domain) -> None:
        """Switch ATS on at once; it is switched off only at the end."""
        await self.link(cpu, master, new)
        if self.then:
            await self.lists[new.name].change(cpu, master, listed=True)
        if self.then and not self.now:
            await self.function.switch_ats(cpu, True)

    async def commit(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """The endpoint is told when the STE refuses already."""
        if self.now and not self.then:
            await self.function.switch_ats(cpu, False)
        await self.flush_atc(cpu, master)
        await self.leave(cpu, master, old)


class SwitchesUnderLock(AtsAttach):
    """For an endpoint that ignores ATC_INV with ATS off: ATS and its list entry go as one (SMMU-R21).

    BUG: unless the completion of the write pushes what the endpoint has posted, as no ATC_INV will any more.
    """

    async def prepare(self, cpu: Cpu, master: Master, old: Domain, new: Domain) -> None:
        """Nobody sends an ATC_INV in between, and from then on nobody sends one at all."""
        if self.now and not self.then:
            await self.take_ats(cpu, master, old)
            await self.link(cpu, master, new)
        else:
            await super().prepare(cpu, master, old, new)

    async def take_ats(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """Both happen under invs->rwlock."""
        await self.lists[old.name].change(cpu, master, listed=False, then=self.switch_off)

    async def switch_off(self, cpu: Cpu) -> None:
        """ATS goes off; what the endpoint has sent before may still be on its way."""
        await self.function.switch_ats(cpu, False)

    async def flush_atc(self, cpu: Cpu, master: Master) -> None:
        """Flush only an ATC that still answers."""
        if self.then:
            await super().flush_atc(cpu, master)

    async def leave(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """Leave those lists that are left."""
        if self.now and self.then:
            await self.lists[old.name].change(cpu, master, listed=False)
        await self.unlink(cpu, master, old)
        await self.left(cpu, old)


class ReadsBack(SwitchesUnderLock):
    """Reads ATS Enable back, too, while nobody invalidates: that pushes the endpoint's last translated write."""

    async def switch_off(self, cpu: Cpu) -> None:
        """The write, and a read behind it."""
        await super().switch_off(cpu)
        await self.function.read(cpu, "ATS Enable")


class UnlistsFirst(ReadsBack):
    """BUG: off the list, and ATS off a little later: an unmap in between misses an ATC that is in use."""

    async def take_ats(self, cpu: Cpu, master: Master, old: Domain) -> None:
        """One happens after the other."""
        await self.lists[old.name].change(cpu, master, listed=False)
        await self.switch_off(cpu)


ORDERS: dict[str, type[AtsAttach]] = {
    "7.1": AtsAttach,
    "no-flush": TrustsSwitch,
    "leave-first": LeavesFirst,
    "too-soon": SwitchesTooSoon,
    "under-lock": SwitchesUnderLock,
    "under-lock-read": ReadsBack,
    "unlist-first": UnlistsFirst,
}
