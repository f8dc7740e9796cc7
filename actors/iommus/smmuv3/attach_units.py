"""The SMMU of attach worlds: it consumes a command queue, and serves several masters, each on a link of its own.

Each CMD_SYNC says exactly which transactions it waits for, so that accesses which use nothing of its batch do not race
with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from actors.runtime.primitives.link import Link
from actors.runtime.primitives.step import Step, perform
from actors.runtime.world import Cpu, Main, World
from drivers.events.attach import (
    AccessLanded,
    AccessRefused,
    AsidInvalidated,
    ConfigInvalidated,
    Names,
    asid_resource,
)
from hw.bus import Asid, Pasid, PhysAddr, Resource, StreamId, VirtAddr
from hw.pcie.tlp import NO_PASID, Dma, DmaCompletion
from hw.smmuv3.commands import Command, Opcode
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import Transaction, affects, apply, resources_of
from hw.smmuv3.translate import AccessAnswer, Disposition, prefetch, untranslated_access
from hw.tlb import TlbEntry

from ..doorbell import Doorbell
from .command_units import CommandUnits

AN_END: Resource = ("a transaction ends",)
"""Given by each, and taken by nobody: it changes what a CMD_SYNC waits for."""
PREFETCHES = 1_000
"""Ordinals from here on are prefetches."""


@dataclass(slots=True, kw_only=True)
class AttachUnits(CommandUnits):
    """The queue, the transactions that have ended, and those that the next CMD_SYNC waits for."""

    prod: Doorbell
    page: Registers
    """Of this queue."""
    concerned: Mapping[int, tuple[Asid, ...]]
    """Ghost, by the number of a command: the ASIDs whose CDs its batch may take away."""
    names: Names = field(default_factory=Names)
    ended: list[Transaction] = field(default_factory=list)
    effective: list[tuple[int, Command]] = field(default_factory=list)
    """The commands since the last CMD_SYNC that have taken effect."""
    users: list[Transaction] = field(default_factory=list)
    """Who may have used what they took away."""

    @property
    def registers(self) -> Registers:
        """On a page of their own, as there may be several queues."""
        return self.page

    async def doorbell(self, cpu: Cpu, cons: int) -> int:
        """Moves of PROD, one by one."""
        return await self.prod.wait()

    async def take_effect(self, cpu: Cpu, number: int, command: Command) -> None:
        """In one step, which also finds out who may have used it.

        What ended before counts, too: it would have been waited for, had it ended after.
        """
        footprint = self.world.session.footprint
        reads, writes = footprint(self._asids(number)), footprint(resources_of(command))
        await perform(Step(command.opcode.name, reads, writes, gives=self.done(number)))
        self.users += [each for each in (*self.ended, *self.smmu.in_flight) if affects(command, each, self.smmu)]
        apply(command, self.smmu)
        self.in_progress.remove(number)
        self.effective.append((number, command))
        self._report(cpu, number, command, complete=False)

    async def earlier_complete(self, number: int, reads: int, writes: int) -> None:
        """Wait for those commands, and for the ends of those users."""
        takes = self.all_done(number)
        step = Step(
            "commands before CMD_SYNC complete",
            reads | self.world.session.footprint(self._asids(number)),
            writes,
            takes=takes,
            ready=lambda: not self.in_progress and not any(each in self.smmu.in_flight for each in self.users),
            blocked=lambda: f"commands {self.in_progress} and transactions that use what was invalidated",
            wakes=takes | self.world.mask(AN_END),
        )
        await perform(step)
        for each in self.users:
            step.takes |= self.end_of(each.sid, each.ordinal) & ~self.world.mask(AN_END)
        self.users.clear()

    async def synchronise(self, cpu: Cpu, number: int, command: Command) -> None:
        """As in the base class; then no cache holds what the batch took away."""
        await CommandUnits.synchronise(self, cpu, number, command)
        for earlier, done in sorted(self.effective, key=lambda each: each[0]):
            self._report(cpu, earlier, done, complete=True)
        self.effective.clear()

    def _asids(self, number: int) -> tuple[Resource, ...]:
        return tuple([asid_resource(asid) for asid in self.concerned[number]])

    def end_of(self, sid: StreamId, ordinal: int) -> int:
        """The mask that the end of a transaction gives; its second bit, which nobody takes, is for who looks again."""
        return self.world.mask(("transaction ends", sid, ordinal)) | self.world.mask(AN_END)

    def ended_now(self, transaction: Transaction) -> None:
        """Within the step that gives `end_of` it: it is globally visible."""
        self.smmu.finish(transaction)
        self.ended.append(transaction)

    async def end(self, what: str, transaction: Transaction) -> None:
        """One step for that."""
        await perform(Step(what, gives=self.end_of(transaction.sid, transaction.ordinal)))
        self.ended_now(transaction)

    def add_master(self, world: World, name: str, upstream: Link, downstream: Link) -> None:
        """A daemon that serves the reads of one master."""
        world.add_actor(
            f"smmu.{name}", partial(self.serve, upstream=upstream, downstream=downstream), daemon=True, hardware=True
        )

    async def serve(self, cpu: Cpu, upstream: Link, downstream: Link) -> None:
        """Reads by virtual address: configuration, TLB, walk, completion."""
        while True:
            read: Dma = await upstream.receive_ordered(cpu, "non-posted", "take DMA read")
            answer = await untranslated_access(
                cpu,
                self.smmu,
                sid=read.sid,
                pasid=read.pasid,
                address=VirtAddr(read.address),
                write=False,
                ordinal=read.tag,
            )
            await self.end(f"DMA of {self.names.stream(read.sid)}: {answer.disposition.value}", answer.transaction)
            cpu.emit(self.outcome(read.sid, answer))
            done = DmaCompletion(sid=read.sid, tag=read.tag, ok=answer.disposition is not Disposition.ABORT)
            await downstream.send_ordered("completion", done, "send read completion")

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
            why = answer.event.id.name if answer.event else "silently"
            return AccessRefused(sid=sid, why=why, who=who)
        meant = found.cd.ttb0 if found.cd is not None else PhysAddr(0)
        through = found.entry.root if isinstance(found.entry, TlbEntry) else meant
        return AccessLanded(
            sid=sid,
            asid=found.cd.asid if found.cd is not None else 0,
            meant=meant,
            found=through,
            page=answer.address,
            who=who,
            through=self.names.owner(through),
        )

    def _report(self, cpu: Cpu, number: int, command: Command, *, complete: bool) -> None:
        """The event of a command that takes effect, or of the SYNC behind it."""
        match command.opcode:
            case Opcode.TLBI_NH_ASID if not complete:
                cpu.emit(AsidInvalidated(asid=command.asid))
            case Opcode.CFGI_STE | Opcode.CFGI_CD:
                ssid = -1 if command.opcode is Opcode.CFGI_STE else command.ssid
                who = self.names.stream(command.sid)
                asids = self.concerned[number]
                cpu.emit(
                    ConfigInvalidated(
                        number=number, sid=command.sid, ssid=ssid, complete=complete, asids=asids, who=who
                    )
                )
