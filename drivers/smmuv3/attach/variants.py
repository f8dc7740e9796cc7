"""What RID attach was and became, each as a difference from A2 (smmuv3 §3.15, §5.4)."""

from __future__ import annotations

from drivers.cpu import Cpu
from hw.bus import Asid
from hw.smmuv3.ste import AtsMode, DefaultSubstream, cdtable_ste

from .rid import EVERY_ASID, Domain, Master, RidAttach


class DetachesUnlocked(RidAttach):
    """BUG: leaves the old domain before it takes arm_smmu_asid_lock (A0, A1: up to 6.8).

    Between list_del and CD clear share_asid finds no master to rewrite, and the CD keeps the ASID it gives away.
    """

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """The lock is held for the CD write only."""
        await self.detach(cpu, master)
        await self.finalise(cpu, new)
        await self.link(cpu, master, new)
        await self.asids.lock(cpu)
        await self.contexts.write(cpu, master, new)
        await self.asids.unlock(cpu)
        await self.install(cpu, master, new)

    def entered(self, master: Master) -> tuple[Asid, ...]:
        """Any ASID: without the lock share_asid may rewrite the CD at this very moment."""
        return EVERY_ASID


class Hitless(RidAttach):
    """A3 (7497f4211f4f, 49db2ed23c52): the master is on both lists while CD and STE change, and never without one."""

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """The CD of the new domain replaces that of the old one: nothing is left to clear."""
        old = master.domain
        await self.finalise(cpu, new)
        await self.asids.lock(cpu)
        await self.link(cpu, master, new)
        await self.contexts.write(cpu, master, new)
        await self.install(cpu, master, new)
        await self.unlink(cpu, master, old)
        await self.left(cpu, old)
        await self.asids.unlock(cpu)

    async def left(self, cpu: Cpu, old: Domain) -> None:
        """The TLB is flushed by ASID only if that is asked for."""
        if self._tlbi:
            await self.flush_tlb(cpu, old)


class HitlessAndFlushed(Hitless):
    """A4 (7.1): an ASID that has no user left is flushed; nobody shares ASIDs any more."""

    async def left(self, cpu: Cpu, old: Domain) -> None:
        """The TLB is flushed by ASID."""
        if not old.devices:
            await self.flush_tlb(cpu, old)


class ToIdentity(RidAttach):
    """To identity while PASIDs are in use: the CD table stays, S1DSS turns to bypass, CD 0 is cleared."""

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Only list, STE and CD; an identity domain has no ASID."""
        await self.asids.lock(cpu)
        await self.unlink(cpu, master, master.domain)
        table = master.context.table
        ste = cdtable_ste(s1_context_ptr=table, s1cdmax=1, s1dss=DefaultSubstream.BYPASS, eats=AtsMode.REFUSED)
        await self.set_stream(cpu, master, ste, self.contexts.concerned(master))
        await self.finish(cpu, master)

    async def finish(self, cpu: Cpu, master: Master) -> None:
        """CD 0 := 0 while share_asid is still kept out."""
        await self.contexts.clear(cpu, master)
        await self.asids.unlock(cpu)


class ClearsAfterUnlock(ToIdentity):
    """BUG: clears CD 0 when the lock is gone, as 7.1 does; where share_asid exists, the ASID is given away before."""

    async def finish(self, cpu: Cpu, master: Master) -> None:
        """The last two steps, the other way round."""
        await self.asids.unlock(cpu)
        await self.contexts.clear(cpu, master)


VARIANTS: dict[str, type[RidAttach]] = {
    "A0": DetachesUnlocked,
    "A1": DetachesUnlocked,
    "A2": RidAttach,
    "A3": Hitless,
    "A4": HitlessAndFlushed,
    "A2-identity": ToIdentity,
    "A2-late-clear": ClearsAfterUnlock,
}
