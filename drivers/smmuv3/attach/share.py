"""Binding a process whose ASID the CPU has chosen: arm_smmu_share_asid with BTM, 5.11 to 6.10 (smmuv3 §3.15)."""

from __future__ import annotations

from drivers.cpu import Cpu, Lock
from drivers.events.attach import AsidMoved, SvaBound
from hw.bus import Asid, PhysAddr, StreamId
from hw.smmuv3 import commands
from hw.smmuv3.cd import sva_cd

from .entries import ContextEntry
from .rid import ASIDS, VMID, AsidTable, Domain, RidContexts


class PrivateAsids:
    """Without BTM (and in 7.1 always) the SMMU's ASID of a process has nothing to do with the CPU's."""

    shared = False

    def __init__(self, asids: AsidTable, contexts: RidContexts) -> None:
        self.asids = asids
        self.contexts = contexts

    async def asid_for(self, cpu: Cpu, wanted: Asid) -> Asid:
        """Any ASID that is free."""
        await self.asids.lock(cpu)
        await cpu.access("xa_alloc an ASID for the process", writes=(ASIDS,))
        asid = self.asids.allocate_now(None)
        await self.asids.unlock(cpu)
        return asid


class SharedAsids(PrivateAsids):
    """With BTM the process keeps the CPU's ASID; a domain that has it gets another one."""

    shared = True

    async def asid_for(self, cpu: Cpu, wanted: Asid) -> Asid:
        """The CPU's own ASID, by arm_smmu_share_asid."""
        await self.asids.lock(cpu)
        await cpu.access(f"xa_load ASID {wanted}", reads=(ASIDS,))
        owner = self.asids.owners.get(wanted)
        if owner is not None:
            await self.move(cpu, owner, wanted)
        await cpu.access(f"xa_store ASID {wanted} for the process", writes=(ASIDS,))
        self.asids.owners[wanted] = None
        await self.asids.unlock(cpu)
        return wanted

    async def move(self, cpu: Cpu, domain: Domain, old: Asid) -> None:
        """A new ASID for the domain, into the CD of each master that is on its list; then TLBI of the old one."""
        await cpu.access(f"xa_alloc a new ASID for {domain.name}", writes=(ASIDS, domain.cd))
        domain.asid = self.asids.allocate_now(domain)
        await cpu.lock(domain.devices_lock)
        await cpu.access(f"walk {domain.name}->devices", reads=(domain.list, domain.cd))
        masters = list(domain.devices)
        sids = tuple(master.sid for master in masters)
        who = tuple(master.name for master in masters)
        cpu.emit(AsidMoved(domain=domain.name, old=old, new=domain.asid, sids=sids, who=who))
        await self.contexts.rewrite(cpu, domain, masters)
        await cpu.unlock(domain.devices_lock)
        await self.forget(cpu, old)

    async def forget(self, cpu: Cpu, old: Asid) -> None:
        """What the TLB has of the domain must not be found by the process."""
        await self.contexts.invalidations.sync(cpu, commands.tlbi_nh_asid(VMID, old))


class KeepsTlb(SharedAsids):
    """BUG: gives the ASID away with the TLB entries that have it as their tag."""

    async def forget(self, cpu: Cpu, old: Asid) -> None:
        """The TLB keeps what it has."""


SHARING: dict[str, type[PrivateAsids]] = {"on": SharedAsids, "off": PrivateAsids, "no-tlbi": KeepsTlb}


class SvaBind:
    """bind: an ASID for the process, and its CD for one PASID of one master."""

    def __init__(self, asids: PrivateAsids, sva_lock: Lock) -> None:
        self._asids = asids
        self._lock = sva_lock

    async def bind(self, cpu: Cpu, entry: ContextEntry, sid: StreamId, cpu_asid: Asid, ttb: PhysAddr) -> None:
        """From the last store of the CD on, the device can work in the process."""
        await cpu.lock(self._lock)
        asid = await self._asids.asid_for(cpu, cpu_asid)
        await self._asids.contexts.store(cpu, entry, sva_cd(asid=asid, ttb0=ttb), sid)
        cpu.emit(SvaBound(asid=asid, shared=self._asids.shared))
        await cpu.unlock(self._lock)
