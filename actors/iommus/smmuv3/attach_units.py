"""The SMMU and its devices as attach worlds need them: a command queue without latency, DMA by untranslated address.

A CPU that invalidates does nothing until its SYNC is complete, so each command may as well take effect in a step of
that CPU: it can come late, as the CPU can, and other agents run before and after it as they would. Only the order of
commands within one batch is lost. Each stream uses one SSID here, so whom a CFGI concerns is known from the start.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

import drivers.cpu
from actors.runtime.primitives.step import Step, perform
from actors.runtime.world import Cpu, World
from drivers.events.attach import (
    AccessLanded,
    AccessRefused,
    AsidInvalidated,
    ConfigInvalidated,
    Names,
    asid_resource,
)
from hw.bus import Asid, Pasid, PhysAddr, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID
from hw.smmuv3 import LANE
from hw.smmuv3.commands import Command, Opcode
from hw.smmuv3.state import Smmu, Transaction, affects, apply, resources_of
from hw.smmuv3.translate import AccessAnswer, prefetch, untranslated_access
from hw.tlb import TlbEntry

PREFETCHES = 1_000
"""Ordinals from here on are prefetches."""
Main = Callable[[Cpu], Coroutine[Any, Any, None]]


@dataclass(slots=True)
class Units:
    """The SMMU and the transactions that it has ended."""

    world: World
    smmu: Smmu
    names: Names = field(default_factory=Names)
    ended: list[Transaction] = field(default_factory=list)

    async def sync(self, cpu: drivers.cpu.Cpu, *batch: Command, asids: Sequence[Asid] = ()) -> None:
        """Each command takes effect; then the SYNC waits for whoever may have used what they took away.

        What ended before the command is waited for as well: it would have been, had it ended after.
        """
        footprint = self.world.session.footprint
        users = footprint(tuple([asid_resource(asid) for asid in asids]))
        waits: list[Transaction] = []
        for command in batch:
            await perform(Step(command.opcode.name, writes=footprint(resources_of(command)) | users))
            waits += [each for each in (*self.ended, *self.smmu.in_flight) if affects(command, each, self.smmu)]
            apply(command, self.smmu)
            self.report(cpu, command, asids, complete=False)
        takes = 0
        for transaction in waits:
            takes |= self.end_of(transaction.sid, transaction.ordinal)
        await perform(
            Step(
                "CMD_SYNC completes",
                writes=users,
                takes=takes,
                ready=lambda: not any(each in self.smmu.in_flight for each in waits),
                blocked=lambda: "transactions that use what was invalidated",
            )
        )
        for command in batch:
            self.report(cpu, command, asids, complete=True)

    def end_of(self, sid: StreamId, ordinal: int) -> int:
        """The mask that the end of a transaction gives."""
        return self.world.mask(("transaction ends", sid, ordinal))

    async def end(self, what: str, transaction: Transaction) -> None:
        """The transaction is globally visible; whoever invalidated what it used can go on."""
        await perform(Step(what, gives=self.end_of(transaction.sid, transaction.ordinal)))
        self.smmu.finish(transaction)
        self.ended.append(transaction)

    def device(self, sid: StreamId, pasid: Pasid, address: VirtAddr, count: int) -> Main:
        """A device that reads `address` `count` times."""

        async def main(cpu: Cpu) -> None:
            for ordinal in range(count):
                answer = await untranslated_access(
                    cpu, self.smmu, sid=sid, pasid=pasid, address=address, write=False, ordinal=ordinal
                )
                await self.end(f"DMA of {self.names.stream(sid)}: {answer.disposition.value}", answer.transaction)
                cpu.emit(self.outcome(sid, answer))

        return main

    def prefetcher(self, sid: StreamId, pasid: Pasid, count: int) -> Main:
        """The SMMU fetches the configuration of a stream `count` times, when it likes."""
        ssid = None if pasid == NO_PASID else pasid

        async def main(cpu: Cpu) -> None:
            for ordinal in range(PREFETCHES, PREFETCHES + count):
                transaction = await prefetch(cpu, self.smmu, sid=sid, ssid=ssid, ordinal=ordinal)
                await self.end("prefetch ends", transaction)

        return main

    def speculator(self, sid: StreamId, pasid: Pasid, address: VirtAddr, count: int) -> Main:
        """The SMMU translates `address` for a stream `count` times, when it likes: it fills caches and TLB."""

        async def main(cpu: Cpu) -> None:
            for ordinal in range(PREFETCHES, PREFETCHES + count):
                answer = await untranslated_access(
                    cpu, self.smmu, sid=sid, pasid=pasid, address=address, write=False, ordinal=ordinal
                )
                await self.end("speculation ends", answer.transaction)

        return main

    def outcome(self, sid: StreamId, answer: AccessAnswer) -> AccessLanded | AccessRefused:
        """The event of an access that ends."""
        found, who = answer.found, self.names.stream(sid)
        if found is None:
            return AccessRefused(
                target=LANE, sid=sid, why=answer.event.id.name if answer.event else "silently", who=who
            )
        meant = found.cd.ttb0 if found.cd is not None else PhysAddr(0)
        through = found.entry.root if isinstance(found.entry, TlbEntry) else meant
        return AccessLanded(
            target=LANE,
            sid=sid,
            asid=found.cd.asid if found.cd is not None else 0,
            meant=meant,
            found=through,
            page=answer.address,
            who=who,
            through=self.names.owner(through),
        )

    def report(self, cpu: drivers.cpu.Cpu, command: Command, asids: Sequence[Asid], *, complete: bool) -> None:
        """The event of a command that takes effect, or of the SYNC behind it."""
        match command.opcode:
            case Opcode.TLBI_NH_ASID if not complete:
                cpu.emit(AsidInvalidated(target=LANE, asid=command.asid))
            case Opcode.CFGI_STE | Opcode.CFGI_CD:
                ssid = -1 if command.opcode is Opcode.CFGI_STE else command.ssid
                who = self.names.stream(command.sid)
                cpu.emit(
                    ConfigInvalidated(
                        target=LANE,
                        by=cpu.name,
                        sid=command.sid,
                        ssid=ssid,
                        complete=complete,
                        asids=tuple(asids),
                        who=who,
                    )
                )


class Bell:
    """A doorbell of a device: rung once, by the driver that has prepared everything."""

    def __init__(self, world: World, name: str) -> None:
        self._name = name
        self._mask = world.mask(("doorbell", name))
        self._rung = False

    async def ring(self) -> None:
        """One step."""
        await perform(Step(f"ring the doorbell of {self._name}", gives=self._mask))
        self._rung = True

    async def wait(self) -> None:
        """One step, offered when it was rung."""
        await perform(
            Step(
                "take the doorbell",
                takes=self._mask,
                ready=lambda: self._rung,
                blocked=lambda: f"the doorbell of {self._name}",
                idle=True,
            )
        )
