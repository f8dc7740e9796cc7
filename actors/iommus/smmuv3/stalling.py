"""An SMMU whose untranslated DMA may stall (smmuv3 §2.5): the transaction waits here, not in the device.

A transaction whose early retry fails keeps its STAG and makes no second record, so nobody can tell that it was retried.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from actors.runtime.primitives.ports import Port
from actors.runtime.world import Cpu
from hw.bus import PhysAddr, VirtAddr
from hw.events.faults import DmaEnded, DmaStalled, StallDecided, stalls_resource
from hw.events.link import FRAMES, DmaLanded
from hw.memory import owner_name
from hw.pcie.tlp import Dma, DmaCompletion
from hw.smmuv3.commands import Command, Opcode, ResumeResp
from hw.smmuv3.config import entry_in_memory
from hw.smmuv3.queues import Accepted
from hw.smmuv3.stall import Stall, Stalls
from hw.smmuv3.state import IN_FLIGHT, Transaction, config_resource
from hw.smmuv3.ste import Ste, StreamConfig
from hw.smmuv3.tlb import Tlb
from hw.smmuv3.translate import AccessAnswer, Disposition, untranslated_access

from .units import SmmuUnits


@dataclass(slots=True, kw_only=True)
class StallingUnits(SmmuUnits):
    """`early` says whether the SMMU may retry a stalled DMA by itself, `outstanding` how many there are at a time."""

    bus: Port
    answers: Port
    early: int = 0
    outstanding: int = 1
    stalls: Stalls = field(default_factory=Stalls)

    async def dma(self, cpu: Cpu) -> None:
        """Accesses from the device; each of several is an actor of its own."""
        while True:
            access: Dma = await self.bus.receive(cpu, "take DMA")
            if self.outstanding > 1:
                await cpu.spawn(f"smmu.dma{access.tag}", partial(self.serve, access=access))
            else:
                await self.serve(cpu, access)

    async def serve(self, cpu: Cpu, access: Dma) -> None:
        """One access, to its end."""
        while not await self.attempt(cpu, access):
            pass

    async def attempt(self, cpu: Cpu, access: Dma) -> bool:
        """Handle a transaction as if it had just arrived; True when it has ended."""
        answer = await self.look_up(cpu, access)
        if answer.disposition is not Disposition.STALL:
            await self.end(cpu, access, answer, early=False)
            return True
        stall = await self.record(cpu, answer)
        if stall is None:
            await self.room(cpu, answer.transaction)
            return False
        if self.early and await cpu.choose("early retry", 2) and await self.retry_early(cpu, access):
            return True
        return await self.decided(cpu, access, stall)

    async def room(self, cpu: Cpu, transaction: Transaction) -> None:
        """Wait for a slot in the EVTQ and a STAG, or for an invalidation: a CMD_SYNC waits for what it has outdated."""
        evtq, sid = self.events.evtq, transaction.sid

        def may_go_on() -> bool:
            room = not evtq.ring.full(*evtq.pointers()) and self.stalls.next_stag(sid) is not None
            return room or transaction in self.smmu.stragglers

        assert transaction.asid is not None
        await cpu.wait(
            "room for a stall record",
            may_go_on,
            reads=(
                ("word", evtq.prod_register),
                ("word", evtq.cons_register),
                stalls_resource(sid),
                config_resource(sid),
                Tlb.resource(transaction.asid),
            ),
            writes=(IN_FLIGHT,),
        )
        self.smmu.finish(transaction)

    async def look_up(self, cpu: Cpu, access: Dma) -> AccessAnswer:
        """Configuration, TLB, walk."""
        where = VirtAddr(access.address)
        return await untranslated_access(
            cpu, self.smmu, sid=access.sid, pasid=access.pasid, address=where, write=access.write
        )

    async def record(self, cpu: Cpu, answer: AccessAnswer) -> Stall | None:
        """Commit the stall record: from here no SYNC waits for the transaction. None: no room, so it is tried again."""
        assert answer.event is not None
        sid = answer.event.sid
        await self.events.announce(cpu, answer.event.ssid, writes=(stalls_resource(sid), IN_FLIGHT))
        stag = self.stalls.next_stag(sid)
        if stag is None or not isinstance(self.events.append_now(cpu, replace(answer.event, stag=stag)), Accepted):
            return None
        self.smmu.finish(answer.transaction)
        stall = self.stalls.open(sid)
        cpu.emit(DmaStalled(stall=stall.number, sid=sid, pasid=answer.event.ssid, stag=stall.stag))
        return stall

    async def retry_early(self, cpu: Cpu, access: Dma) -> bool:
        """A retry of the SMMU's own accord; record and STAG stay where they are, whatever comes of it."""
        answer = await self.look_up(cpu, access)
        if answer.disposition is not Disposition.STALL:
            await self.end(cpu, access, answer, early=True)
            return True
        await cpu.access("early retry stalls again", writes=(IN_FLIGHT,))
        self.smmu.finish(answer.transaction)
        return False

    async def decided(self, cpu: Cpu, access: Dma, stall: Stall) -> bool:
        """Wait for RESUME or STALL_TERM; False to try again."""
        await cpu.wait(
            f"RESUME of STAG {stall.stag}", lambda: stall.decision is not None, reads=(stalls_resource(stall.sid),)
        )
        if stall.decision is ResumeResp.RETRY:
            return False
        await self.reply(cpu, access, ok=stall.decision is ResumeResp.TERMINATE)
        return True

    async def end(self, cpu: Cpu, access: Dma, answer: AccessAnswer, *, early: bool) -> None:
        """Memory, or an abort with its record; then the device is told."""
        if answer.disposition is Disposition.PROCEED:
            await self.write(cpu, access, answer, early=early)
            await self.reply(cpu, access, ok=True)
            return
        if answer.event is not None:
            await self.events.record(cpu, answer.event)
        await cpu.access("DMA is aborted", writes=(IN_FLIGHT,))
        self.smmu.finish(answer.transaction)
        cpu.emit(DmaEnded(sid=access.sid, pasid=access.pasid, address=access.address, page=0, ok=False, early=early))
        await self.reply(cpu, access, ok=answer.disposition is Disposition.RAZ_WI)

    async def write(self, cpu: Cpu, access: Dma, answer: AccessAnswer, *, early: bool) -> None:
        """The access itself."""
        memory, target = self.world.memory, answer.address
        await cpu.access(f"DMA write to {target:#x}", reads=(FRAMES,), writes=(("word", target), IN_FLIGHT))
        memory.write(PhysAddr(target), access.value)
        self.smmu.finish(answer.transaction)
        owner = owner_name(memory.owner_of(target))
        cpu.emit(DmaLanded(pasid=access.pasid, page=target, owner=owner, meant_for=self.meant_for))
        cpu.emit(
            DmaEnded(sid=access.sid, pasid=access.pasid, address=access.address, page=target, ok=True, early=early)
        )

    async def reply(self, cpu: Cpu, access: Dma, *, ok: bool) -> None:
        """The response on the bus."""
        await cpu.send(self.answers, DmaCompletion(sid=access.sid, tag=access.tag, ok=ok))

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """RESUME and STALL_TERM: a SYNC waits for no more than their consumption (smmuv3 §1.5)."""
        if command.opcode not in (Opcode.RESUME, Opcode.STALL_TERM):
            return SmmuUnits.command(self, number, command)
        self.in_progress.remove(number)

        async def resume(cpu: Cpu) -> None:
            await cpu.access("RESUME", writes=(stalls_resource(command.sid),))
            self._decide(cpu, number, command)

        return resume if command.opcode is Opcode.RESUME else partial(self._terminate, number=number, command=command)

    async def _terminate(self, cpu: Cpu, number: int, command: Command) -> None:
        """STALL_TERM: whether it ends anything of a stream that does not abort yet is unpredictable (IHI 0070 §4.7)."""
        sid = command.sid
        await cpu.access("STALL_TERM: look-up", reads=[config_resource(sid)])
        cached = self.smmu.stes.get(sid)
        ste = await entry_in_memory(cpu, self.smmu, sid) if cached is None else cached
        aborts = isinstance(ste, Ste) and ste.config is StreamConfig.ABORT
        if not aborts and await cpu.choose("STALL_TERM ends stalls, or does not", 2):
            return
        await cpu.access("STALL_TERM", writes=(stalls_resource(sid),))
        for stall in self.stalls.terminate(sid):
            self._emit(cpu, stall, stall.stag, number, command)

    def _decide(self, cpu: Cpu, number: int, command: Command) -> None:
        stall = self.stalls.resume(command.sid, command.stag, ResumeResp(command.resp))
        self._emit(cpu, stall, command.stag, number, command)

    def _emit(self, cpu: Cpu, stall: Stall | None, stag: int, number: int, command: Command) -> None:
        cpu.emit(
            StallDecided(
                stall=-1 if stall is None else stall.number,
                sid=command.sid,
                stag=stag,
                command=number,
                decision="ABORT" if command.opcode is Opcode.STALL_TERM else ResumeResp(command.resp).name,
            )
        )
