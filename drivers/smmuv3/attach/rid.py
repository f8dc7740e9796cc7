"""RID attach across history (smmuv3 §3.15): a master leaves one stage 1 domain for another.

The protocol is 9f7c68911579 (A2): arm_smmu_asid_lock from before the detach to the end. ATS is off here, so its steps
are not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from drivers.cpu import Cpu, Lock
from drivers.events.attach import AsidLockMoved, MasterListed, devices_resource
from hw.bus import Asid, PhysAddr, Resource, StreamId, Vmid
from hw.smmuv3 import commands
from hw.smmuv3.cd import empty_cd, paging_cd
from hw.smmuv3.entry import Qwords
from hw.smmuv3.ste import AtsMode, DefaultSubstream, abort_ste, cdtable_ste

from .entries import ContextEntry, StreamEntry
from .invalidations import Invalidations

ASIDS: Resource = ("arm_smmu_asid_xa",)
VMID = Vmid(0)
EVERY_ASID = (Asid(1), Asid(2), Asid(3))
"""As few as two domains and a process need."""
MakeLock = Callable[[str], Lock]


class Domain:
    """A stage 1 domain of the kernel's own: an ASID once it is finalised, page tables, the masters attached to it."""

    def __init__(self, name: str, ttb: PhysAddr, mutex: MakeLock, spinlock: MakeLock, asid: Asid | None = None) -> None:
        self.name = name
        self.ttb = ttb
        self.asid = asid
        self.devices: list[Master] = []
        self.init_mutex = mutex(f"init_mutex of {name}")
        self.devices_lock = spinlock(f"devices_lock of {name}")
        self.cd: Resource = ("cd of domain", name)
        self.list: Resource = devices_resource(name)

    async def read_asid(self, cpu: Cpu) -> Asid:
        """cd->asid, which share_asid may change."""
        await cpu.access(f"read cd->asid of {self.name}", reads=(self.cd,))
        assert self.asid is not None, f"{self.name} is not finalised"
        return self.asid


class Master:
    """A device with one stream, its STE, and a CD table of its own (which A0 does not use)."""

    def __init__(self, name: str, sid: StreamId, stream: StreamEntry, context: ContextEntry, domain: Domain) -> None:
        self.name = name
        self.sid = sid
        self.stream = stream
        self.context = context
        self.domain = domain
        domain.devices.append(self)


class AsidTable:
    """arm_smmu_asid_xa: who has which ASID; looked at and changed in steps that name ASIDS. And its lock."""

    def __init__(self, mutex: MakeLock) -> None:
        self.owners: dict[Asid, Domain | None] = {}
        self._mutex = mutex("arm_smmu_asid_lock")

    async def lock(self, cpu: Cpu) -> None:
        """Take arm_smmu_asid_lock."""
        await cpu.lock(self._mutex)
        cpu.emit(AsidLockMoved(taken=True))

    async def unlock(self, cpu: Cpu) -> None:
        """Give arm_smmu_asid_lock back."""
        await cpu.unlock(self._mutex)
        cpu.emit(AsidLockMoved(taken=False))

    def allocate_now(self, owner: Domain | None) -> Asid:
        """The lowest free one (xa_alloc); None owns for a process."""
        asid = next(asid for asid in EVERY_ASID if asid not in self.owners)
        self.owners[asid] = owner
        return asid


class RidContexts:
    """CD 0 lies in the master's own CD table (since 6.7)."""

    def __init__(self, invalidations: Invalidations) -> None:
        self.invalidations = invalidations

    def of(self, master: Master, domain: Domain) -> ContextEntry:
        """The CD that serves a master's RID in a domain."""
        return master.context

    def concerned(self, master: Master) -> tuple[Asid, ...]:
        """The ASIDs that a change of the STE shows to the SMMU or hides from it, while nobody else writes CD 0."""
        return master.context.concerned

    async def finalised(self, cpu: Cpu, domain: Domain) -> None:
        """The domain has its ASID now; there is no CD to write before a master comes."""

    async def write(self, cpu: Cpu, master: Master, domain: Domain) -> None:
        """CD 0 := what the domain says now."""
        asid = await domain.read_asid(cpu)
        await self.store(cpu, master.context, paging_cd(asid=asid, ttb0=domain.ttb), master.sid)

    async def clear(self, cpu: Cpu, master: Master) -> None:
        """CD 0 becomes 0."""
        await self.store(cpu, master.context, empty_cd(), master.sid)

    async def rewrite(self, cpu: Cpu, domain: Domain, masters: Sequence[Master]) -> None:
        """The domain's ASID has changed: CD 0 of each master, one after the other."""
        for master in masters:
            await self.write(cpu, master, domain)

    async def store(self, cpu: Cpu, entry: ContextEntry, words: Qwords, *sids: StreamId) -> None:
        """Write a CD; its sync is one CFGI_CD for each stream, and a CMD_SYNC."""
        batch = [commands.cfgi_cd(sid, entry.ssid) for sid in sids]

        async def sync(cpu: Cpu) -> None:
            if batch:
                await self.invalidations.sync(cpu, *batch, asids=entry.concerned)

        await entry.write(cpu, words, sync)


class DomainContexts(RidContexts):
    """CD 0 lies in a CD table of the domain, for all its masters (up to 6.6)."""

    def __init__(self, invalidations: Invalidations, entries: dict[str, ContextEntry]) -> None:
        super().__init__(invalidations)
        self._entries = entries

    def of(self, master: Master, domain: Domain) -> ContextEntry:
        """The CD is the domain's own."""
        return self._entries[domain.name]

    def concerned(self, master: Master) -> tuple[Asid, ...]:
        """Any: share_asid writes the domain's CD whether the master is on its list or not."""
        return EVERY_ASID

    async def finalised(self, cpu: Cpu, domain: Domain) -> None:
        """Written once, before any master can reach it."""
        await self.rewrite(cpu, domain, ())

    async def write(self, cpu: Cpu, master: Master, domain: Domain) -> None:
        """The CD is there already."""

    async def clear(self, cpu: Cpu, master: Master) -> None:
        """It stays, for the domain's other masters."""

    async def rewrite(self, cpu: Cpu, domain: Domain, masters: Sequence[Master]) -> None:
        """One store for all; only masters on the list are told."""
        asid = await domain.read_asid(cpu)
        await self.store(
            cpu, self._entries[domain.name], paging_cd(asid=asid, ttb0=domain.ttb), *(master.sid for master in masters)
        )


class RidAttach:
    """A2: the whole switch under arm_smmu_asid_lock, so that list, CD and STE are of one mind for share_asid."""

    def __init__(self, asids: AsidTable, contexts: RidContexts, *, tlbi: bool) -> None:
        self.asids = asids
        self.contexts = contexts
        self.invalidations = contexts.invalidations
        self._tlbi = tlbi

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Finalise the new domain, then leave the old one and enter the new one."""
        await self.finalise(cpu, new)
        await self.asids.lock(cpu)
        await self.detach(cpu, master)
        await self.link(cpu, master, new)
        await self.contexts.write(cpu, master, new)
        await self.install(cpu, master, new)
        await self.asids.unlock(cpu)

    async def finalise(self, cpu: Cpu, domain: Domain) -> None:
        """The first attach gives a domain its ASID."""
        await cpu.lock(domain.init_mutex)
        if domain.asid is None:
            await self.asids.lock(cpu)
            await cpu.access(f"xa_alloc an ASID for {domain.name}", writes=(ASIDS, domain.cd))
            domain.asid = self.asids.allocate_now(domain)
            await self.contexts.finalised(cpu, domain)
            await self.asids.unlock(cpu)
        await cpu.unlock(domain.init_mutex)

    async def detach(self, cpu: Cpu, master: Master) -> None:
        """Off the list, STE := abort, CD 0 := 0."""
        old = master.domain
        await self.unlink(cpu, master, old)
        await self.set_stream(cpu, master, abort_ste(), self.contexts.concerned(master))
        master.context.hidden = True
        await self.contexts.clear(cpu, master)
        if self._tlbi:
            await self.flush_tlb(cpu, old)

    async def flush_tlb(self, cpu: Cpu, domain: Domain) -> None:
        """TLBI by ASID, and SYNC."""
        await self.invalidations.sync(cpu, commands.tlbi_nh_asid(VMID, await domain.read_asid(cpu)))

    async def install(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """STE := the CD table, with CD 0 for traffic without a PASID."""
        master.context.hidden = False
        table = self.contexts.of(master, new).table
        ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.SSID0, eats=self.eats())
        await self.set_stream(cpu, master, ste, self.entered(master))
        master.domain = new

    def eats(self) -> AtsMode:
        """There is no ATS here."""
        return AtsMode.REFUSED

    def entered(self, master: Master) -> tuple[Asid, ...]:
        """The ASIDs that the SMMU will find behind the new STE: under the lock CD 0 stands still."""
        return self.contexts.concerned(master)

    async def set_stream(self, cpu: Cpu, master: Master, ste: Qwords, concerned: tuple[Asid, ...]) -> None:
        """Write the STE; its sync is CFGI_STE, which also drops every CD cached through it."""
        stream = master.stream
        stream.concerned = concerned

        async def sync(cpu: Cpu) -> None:
            asids = stream.concerned if stream.turned else ()
            await self.invalidations.sync(cpu, commands.cfgi_ste(master.sid), asids=asids)
            stream.turned = False

        await stream.write(cpu, ste, sync)

    async def link(self, cpu: Cpu, master: Master, domain: Domain) -> None:
        """list_add under devices_lock."""
        await cpu.lock(domain.devices_lock)
        await cpu.access(f"list_add {master.name} to {domain.name}->devices", writes=(domain.list,))
        domain.devices.append(master)
        cpu.emit(MasterListed(domain=domain.name, sid=master.sid, listed=True, who=master.name))
        await cpu.unlock(domain.devices_lock)

    async def unlink(self, cpu: Cpu, master: Master, domain: Domain) -> None:
        """list_del under devices_lock."""
        await cpu.lock(domain.devices_lock)
        await cpu.access(f"list_del {master.name} from {domain.name}->devices", writes=(domain.list,))
        domain.devices.remove(master)
        cpu.emit(MasterListed(domain=domain.name, sid=master.sid, listed=False, who=master.name))
        await cpu.unlock(domain.devices_lock)
