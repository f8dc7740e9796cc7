"""The SMMU as four units that work at the same time: link, ATS, command queue, command execution.

Each is a thin shell: formats and rules are in `hw.smmuv3`, one step here is one step there.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from hw.bus import Pasid, PhysAddr
from hw.events import (
    FRAMES,
    CommandDone,
    DmaLanded,
    PageRequestQueued,
    PageRequestRefused,
    ResponseSent,
    Translated,
    pasid_resource,
)
from hw.memory import WORD_BYTES, owner_name
from hw.pcie.tlp import (
    NO_PASID,
    Dma,
    InvalidateCompletion,
    InvalidateRequest,
    PageRequest,
    PrgResponse,
    ResponseCode,
    TranslationRequest,
)
from hw.smmuv3.commands import (
    ATC_INV_EVERYTHING,
    ENTRY_WORDS,
    NO_MSI,
    Command,
    Opcode,
    PriResp,
    SyncSignal,
    decode,
)
from hw.smmuv3.priq import AutoResponse, Priq, entry_of
from hw.smmuv3.queues import Accepted, Ring
from hw.smmuv3.state import IN_FLIGHT, Smmu, apply, resources_of
from hw.smmuv3.translate import translate_request

from .event_unit import EventUnit
from .runtime.ports import Link
from .runtime.step import Step, perform
from .runtime.sync import Interrupt
from .runtime.world import Cpu, World

ITAGS = 32
_WIRE = {
    PriResp.FAILURE: ResponseCode.FAILURE,
    PriResp.INVALID: ResponseCode.INVALID,
    PriResp.SUCCESS: ResponseCode.SUCCESS,
}


@dataclass(slots=True)
class SmmuUnits:
    """The units and what they share."""

    world: World
    smmu: Smmu
    upstream: Link
    downstream: Link
    priq: Priq
    pri_irq: Interrupt
    cmdq: Ring
    events: EventUnit
    binding_now: Callable[[Pasid], int]
    """Ghost: which binding owns a PASID now; no hardware knows this."""
    meant_for: str
    """Ghost: whose job the device does."""
    pushed: str = "priq"
    """Where a posted request is when the device may count it as pushed: in the PRIQ, or only at the root complex."""
    in_progress: list[int] = field(default_factory=list)
    accepted: int = 0

    async def link(self, cpu: Cpu) -> None:
        """Posted requests from the device, in order."""
        mask = self.world.mask
        while True:
            match await self.upstream.receive_posted(cpu):
                case PageRequest() as request:
                    await self.page_request(cpu, request)
                case Dma() as dma:
                    await self.upstream.deliver(
                        f"DMA write to {dma.address:#x}", mask(FRAMES), mask(("word", dma.address))
                    )
                    self.world.memory.write(PhysAddr(dma.address), dma.value)
                    owner = owner_name(self.world.memory.owner_of(PhysAddr(dma.address)))
                    cpu.emit(DmaLanded(pasid=dma.pasid, page=dma.address, owner=owner, meant_for=self.meant_for))
                case InvalidateCompletion(itag=itag):
                    number = next(number for number in self.in_progress if number % ITAGS == itag)
                    await self.upstream.deliver("take Invalidate Completion", gives=self.done(number))
                    self.in_progress.remove(number)
                case unexpected:
                    raise TypeError(f"SMMU cannot take {unexpected}")

    async def page_request(self, cpu: Cpu, request: PageRequest) -> None:
        """Queue a PPR, or refuse it: entry, PROD and interrupt edge in one step (domain/smmuv3 §1.6, §1.8)."""
        world, priq = self.world, self.priq
        mask = world.mask
        slot = priq.ring.slot(self.accepted)  # PROD, which nobody else moves
        touched = (mask(("word", address)) for address in (slot, PhysAddr(slot + WORD_BYTES), priq.prod_register))
        writes = mask(self.pri_irq.resource)
        for bit in touched:
            writes |= bit
        reads = mask(("word", priq.cons_register)) | mask(pasid_resource(request.pasid))
        if self.pushed == "priq":
            await self.upstream.deliver("PRIQ: write entry and PROD", reads, writes)
        else:
            await self.upstream.deliver("page request reaches the root complex")
            await perform(Step("PRIQ: write entry and PROD", reads, writes))
        ordinal = self.upstream.posted.received
        answer = priq.accept(entry_of(request))
        if isinstance(answer, Accepted):
            if answer.was_empty:
                self.pri_irq.raise_now()
            cpu.emit(
                PageRequestQueued(
                    number=self.accepted,
                    ordinal=ordinal,
                    pasid=request.pasid,
                    prgi=request.prgi,
                    last=request.last,
                    marker=request.is_stop_marker,
                    binding=self.binding_now(request.pasid),
                )
            )
            self.accepted += 1
            return
        cpu.emit(
            PageRequestRefused(
                ordinal=ordinal,
                pasid=request.pasid,
                prgi=request.prgi,
                last=request.last,
                marker=request.is_stop_marker,
                code=answer.code if isinstance(answer, AutoResponse) else -1,
            )
        )
        if isinstance(answer, AutoResponse):
            pasid = request.pasid if answer.with_pasid else NO_PASID
            response = PrgResponse(sid=request.sid, pasid=pasid, prgi=request.prgi, code=answer.code)
            await self.respond(cpu, response, command=-1, automatic_for=ordinal)

    async def respond(self, cpu: Cpu, response: PrgResponse, *, command: int, automatic_for: int = 0) -> None:
        """Send a PRG Response."""
        ordinal = await self.downstream.send_posted(response, "send PRG Response")
        cpu.emit(
            ResponseSent(
                ordinal=ordinal,
                pasid=response.pasid,
                prgi=response.prgi,
                code=response.code,
                command=command,
                automatic_for=automatic_for,
            )
        )

    async def ats(self, cpu: Cpu) -> None:
        """Translation requests: configuration, TLB, walk, completion."""
        in_flight = self.world.mask(IN_FLIGHT)
        while True:
            request: TranslationRequest = await self.upstream.receive_ordered(
                cpu, "non-posted", "take Translation Request"
            )
            answer = await translate_request(cpu, self.smmu, request)
            if answer.event is not None:
                await self.events.record(cpu, answer.event)
            completion = answer.completion
            await self.downstream.send_ordered("completion", completion, "send Translation Completion", in_flight)
            if answer.transaction is not None:
                self.smmu.finish(answer.transaction)
            cpu.emit(
                Translated(
                    pasid=request.pasid,
                    address=request.address,
                    page=completion.page if completion.read or completion.write else 0,
                    status=completion.status,
                )
            )

    async def command_queue(self, cpu: Cpu) -> None:
        """Consume commands in order; each is then carried out by itself, so they complete in any order.

        A SYNC is consumed only when all before it are complete and no transaction still uses what they took away.
        """
        registers, ring, memory = self.smmu.registers, self.cmdq, self.world.memory
        cons = prod = memory.read(registers.CMDQ_CONS)
        number = 0
        while True:
            if ring.empty(prod, cons):
                prod = await self.doorbell(cpu, cons)
            q0, q1 = await cpu.load_words(ring.slot(cons), ENTRY_WORDS, f"CMDQ[{ring.index(cons)}]")
            command = decode(q0, q1)
            if command.opcode is Opcode.CMD_SYNC:
                await self.synchronise(number, command)
            else:
                if command.opcode is not Opcode.PRI_RESP:  # a SYNC promises nothing about it
                    self.in_progress.append(number)
                await cpu.spawn(f"smmu.command{number}", self.command(number, command))
            cons = ring.next(cons)
            number += 1
            await cpu.store(registers.CMDQ_CONS, cons, "CMDQ_CONS")

    async def doorbell(self, cpu: Cpu, cons: int) -> int:
        """Read PROD again, as the commands seen so far are used up; wait until it has left CONS behind."""
        return await cpu.poll(
            self.smmu.registers.CMDQ_PROD,
            lambda prod: not self.cmdq.empty(prod, cons),
            "CMDQ_PROD moves",
            idle=True,
        )

    async def synchronise(self, number: int, command: Command) -> None:
        """What a CMD_SYNC waits for, and its MSI. It does not wait for a PRI_RESP, which may leave much later."""
        takes = 0
        for earlier in range(number):
            takes |= self.done(earlier)
        signals = command.cs == SyncSignal.IRQ and int(command.address) != NO_MSI
        await perform(
            Step(
                "commands before CMD_SYNC complete",
                self.world.mask(IN_FLIGHT),
                self.world.mask(("word", command.address)) if signals else 0,
                takes=takes,
                ready=lambda: not self.in_progress and not self.smmu.stragglers,
                blocked=lambda: f"commands {self.in_progress} and {len(self.smmu.stragglers)} old transactions",
            )
        )
        if signals:
            self.world.memory.write(PhysAddr(command.address), 0)

    def done(self, number: int) -> int:
        """The mask that the completion of a command gives."""
        return self.world.mask(("SMMU", "command done", number))

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """One command as an actor of its own."""

        async def carry_out(cpu: Cpu) -> None:
            match command.opcode:
                case Opcode.PRI_RESP:
                    code = _WIRE[PriResp(command.resp)]
                    response = PrgResponse(sid=command.sid, pasid=command.ssid, prgi=command.prgi, code=code)
                    await self.respond(cpu, response, command=number)
                case Opcode.ATC_INV:
                    await self.downstream.send_posted(_invalidate_request(number, command), "send Invalidate Request")
                case _:
                    writes = self.world.session.footprint(resources_of(command))
                    await perform(Step(command.opcode.name, writes=writes, gives=self.done(number)))
                    apply(command, self.smmu)
                    self.in_progress.remove(number)
                    cpu.emit(CommandDone(number=number, text=f"{command.opcode.name} done"))

        return carry_out


def _invalidate_request(number: int, command: Command) -> InvalidateRequest:
    """What an ATC_INV sends; a tag is free again when the completion with it was seen."""
    return InvalidateRequest(
        sid=command.sid,
        pasid=command.ssid if command.ssv else NO_PASID,
        address=command.address,
        pages=1 << min(command.size, ATC_INV_EVERYTHING),
        everything=command.size == ATC_INV_EVERYTHING,
        itag=number % ITAGS,
    )
