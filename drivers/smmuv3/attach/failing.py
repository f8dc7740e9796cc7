"""The failure path of attach_dev (seed 004, `out_list_del`): there is no memory for the CD, and all goes back."""

from __future__ import annotations

from dataclasses import dataclass

from drivers.cpu import Cpu
from hw.bus import Resource
from hw.events.event import Event

from .rid import Domain, Master, RidAttach
from .variants import DetachesUnlocked

ENOMEM: Resource = ("free memory",)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachFailed(Event):
    """attach_dev returns an error: the master is attached to no domain, and its stream is blocked."""

    sid: int
    who: str

    def _label(self) -> str:
        return f"attach of {self.who} fails: -ENOMEM"


class FailsUnderLock(RidAttach):
    """A2: the master is on the list and off it again while share_asid is kept out."""

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Up to the CD, and back."""
        await self.finalise(cpu, new)
        await self.asids.lock(cpu)
        await self.detach(cpu, master)
        await self.link(cpu, master, new)
        await self.no_memory(cpu)
        await self.out_list_del(cpu, master, new)
        await self.asids.unlock(cpu)
        cpu.emit(AttachFailed(sid=master.sid, who=master.name))

    async def no_memory(self, cpu: Cpu) -> None:
        """The leaf of the CD table cannot be allocated; who tries later may have more luck."""
        await cpu.access("allocate the leaf of CD 0: -ENOMEM", reads=(ENOMEM,))

    async def out_list_del(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Off the new domain's list."""
        await self.unlink(cpu, master, new)


class FailsUnlocked(DetachesUnlocked, FailsUnderLock):
    """BUG: goes off the list when the lock is gone (A1); share_asid finds the master there, and writes its CD."""

    async def attach(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """The lock is held for the CD write only."""
        await self.detach(cpu, master)
        await self.finalise(cpu, new)
        await self.link(cpu, master, new)
        await self.asids.lock(cpu)
        await self.no_memory(cpu)
        await self.asids.unlock(cpu)
        await self.out_list_del(cpu, master, new)
        cpu.emit(AttachFailed(sid=master.sid, who=master.name))


class StaysListed(FailsUnderLock):
    """BUG: returns without `out_list_del`; whoever walks the list writes to a master that is not attached."""

    async def out_list_del(self, cpu: Cpu, master: Master, new: Domain) -> None:
        """Nothing."""


FAILURES: dict[str, type[RidAttach]] = {"A1": FailsUnlocked, "A2": FailsUnderLock, "A2-no-list-del": StaysListed}
