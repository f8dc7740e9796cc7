"""The SMMU's command queue as units that work at the same time: one consumes, and each command in flight is another.

Errors stop the queue until software acknowledges them (smmuv3 §1.5 and §1.6); no command breaks the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from actors.runtime.primitives.step import Step, perform
from actors.runtime.primitives.sync import Interrupt
from actors.runtime.world import Cpu, World
from hw.bus import PAGE_SHIFT, StreamId, VirtAddr
from hw.events.commands import CommandQueueStopped, CommandTaken, MsiAborted, SyncCompleted, sync_resource
from hw.events.link import CommandDone
from hw.memory import BusError
from hw.pcie.tlp import NO_PASID, InvalidateRequest, PrgResponse, ResponseCode
from hw.smmuv3.cmdq import message_word, send_message, stop, stopped
from hw.smmuv3.commands import ATC_INV_EVERYTHING, ENTRY_WORDS, Cerror, Command, CommandError, Opcode, PriResp, decode
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.state import IN_FLIGHT, Smmu, apply, resources_of

from ..iommu_units import LinkUnits

ITAGS = 32
_WIRE = {
    PriResp.FAILURE: ResponseCode.FAILURE,
    PriResp.INVALID: ResponseCode.INVALID,
    PriResp.SUCCESS: ResponseCode.SUCCESS,
}


class CommandQueueError(Exception):
    """The command at CONS cannot be consumed: the queue stops."""

    def __init__(self, error: Cerror) -> None:
        super().__init__(f"CERROR_{error.name}")
        self.error = error


@dataclass(slots=True, kw_only=True)
class CommandUnits(LinkUnits):
    """The queue, and what is on its way."""

    smmu: Smmu
    cmdq: Ring
    gerror_irq: Interrupt | None = None
    """The line that says that GERROR has changed, where somebody listens."""
    unit: str = "smmu.cmdq"
    """The name of the actor that consumes the queue."""
    first: int = 0
    """The number of the first command: several queues of one SMMU number theirs apart."""
    report_commands: bool = False
    """Whether commands and SYNCs are events: only worlds whose oracles look at them pay for that."""
    in_progress: list[int] = field(default_factory=list)
    overdue: list[int] = field(default_factory=list)
    """ATC_INVs that the endpoint did not answer in time: the next CMD_SYNC fails, once."""

    @property
    def registers(self) -> Registers:
        """Those of this queue."""
        return self.smmu.registers

    def add(self, world: World, *, ats: bool = True) -> None:
        """The queue alone."""
        world.add_actor(self.unit, self.command_queue, daemon=True, hardware=True)

    async def command_queue(self, cpu: Cpu) -> None:
        """Consume commands in order; each is then carried out by itself, so they complete in any order.

        A SYNC is consumed only when all before it are complete and no transaction still uses what they took away.
        """
        registers, ring = self.registers, self.cmdq
        cons = prod = self.world.memory.read(registers.CMDQ_CONS)
        number = self.first
        while True:
            if ring.empty(prod, cons):
                prod = await self.doorbell(cpu, cons)
            try:
                await self.consume(cpu, cons, number)
            except CommandQueueError as reason:
                await self.stop(cpu, cons, number, reason.error)
                continue
            cons = ring.next(cons)
            number += 1
            await cpu.store(registers.CMDQ_CONS, cons, "CMDQ_CONS")

    async def consume(self, cpu: Cpu, cons: int, number: int) -> None:
        """Fetch a command and begin it, or complete it if it is a SYNC."""
        command = await self.fetch(cpu, cons, number)
        if command.opcode is Opcode.CMD_SYNC:
            await self.synchronise(cpu, number, command)
            return
        if command.opcode is not Opcode.PRI_RESP:  # a SYNC promises nothing about it
            self.in_progress.append(number)
        await cpu.spawn(f"smmu.command{number}", self.command(number, command))

    async def fetch(self, cpu: Cpu, cons: int, number: int) -> Command:
        """Both words of a command, decoded."""
        try:
            q0, q1 = await cpu.load_words(self.cmdq.slot(cons), ENTRY_WORDS, f"CMDQ[{self.cmdq.index(cons)}]")
        except BusError:
            raise CommandQueueError(Cerror.ABT) from None
        if self.report_commands:
            cpu.emit(CommandTaken(number=number, q0=q0, q1=q1))
        try:
            return decode(q0, q1, hyp=self.smmu.hyp)
        except CommandError as error:
            raise CommandQueueError(error.cerror) from None

    async def doorbell(self, cpu: Cpu, cons: int) -> int:
        """Read PROD again, as the commands seen so far are used up; wait until it has left CONS behind."""
        return await cpu.poll(
            self.registers.CMDQ_PROD,
            lambda prod: not self.cmdq.empty(prod, cons),
            "CMDQ_PROD moves",
            idle=True,
        )

    async def stop(self, cpu: Cpu, cons: int, number: int, error: Cerror) -> None:
        """Say why, and wait until software has acknowledged it; then the same slot is looked at again."""
        registers = self.registers
        words = tuple([("word", word) for word in (registers.CMDQ_CONS, registers.GERROR)])
        irq = () if self.gerror_irq is None else (self.gerror_irq.resource,)
        await cpu.access(
            f"CMDQ stops: CERROR_{error.name}", reads=(("word", registers.GERRORN),), writes=(*words, *irq)
        )
        stop(self.world.memory, registers, cons, error)
        self._raise_gerror()
        cpu.emit(CommandQueueStopped(number=number, error=error.name))
        await cpu.poll_words(
            (registers.GERROR, registers.GERRORN),
            lambda gerror, gerrorn: not stopped(gerror, gerrorn),
            "GERRORN acknowledges CMDQ_ERR",
            idle=True,
        )

    def _raise_gerror(self) -> None:
        if self.gerror_irq is not None:
            self.gerror_irq.raise_now()

    async def synchronise(self, cpu: Cpu, number: int, command: Command) -> None:
        """What a CMD_SYNC waits for, and its MSI. It does not wait for a PRI_RESP, which may leave much later.

        After an ATC_INV that was not answered it is not consumed, but fails; the next attempt is a new one.
        """
        reads, writes = self._message_footprint(command)
        await self.earlier_complete(number, reads, self.world.mask(sync_resource(number)) | writes)
        if self.overdue:
            self.overdue.clear()
            raise CommandQueueError(Cerror.ATC_INV_SYNC)
        if not send_message(self.world.memory, self.registers, command):
            self._raise_gerror()
            cpu.emit(MsiAborted(number=number))
        if self.report_commands:
            cpu.emit(SyncCompleted(number=number))

    async def earlier_complete(self, number: int, reads: int, writes: int) -> None:
        """The step of CMD_SYNC `number`, which reads and writes that as well: all before it is complete."""
        await perform(
            Step(
                "commands before CMD_SYNC complete",
                self.world.mask(IN_FLIGHT) | reads,
                writes,
                takes=self.all_done(number),
                ready=lambda: not self.in_progress and not self.smmu.stragglers,
                blocked=lambda: f"commands {self.in_progress} and {len(self.smmu.stragglers)} old transactions",
            )
        )

    def all_done(self, number: int) -> int:
        """The mask that the completions of all commands before `number` give."""
        takes = 0
        for earlier in range(self.first, number):
            takes |= self.done(earlier)
        return takes

    def _message_footprint(self, command: Command) -> tuple[int, int]:
        """What the completion message reads and writes."""
        mask, registers, word = self.world.mask, self.registers, message_word(command)
        if word is None:
            return 0, 0
        if self.world.memory.answers(word):
            return 0, mask(("word", word))
        irq = 0 if self.gerror_irq is None else mask(self.gerror_irq.resource)
        return mask(("word", registers.GERRORN)), mask(("word", registers.GERROR)) | irq

    def done(self, number: int) -> int:
        """The mask that the completion of a command gives."""
        return self.world.mask(("SMMU", "command done", number))

    async def completed(self, itag: int) -> None:
        """An Invalidate Completion; one that comes after its time-out is for nobody."""
        number = next((number for number in self.in_progress if number % ITAGS == itag), None)
        await self.upstream.deliver("take Invalidate Completion", gives=0 if number is None else self.done(number))
        if number is not None:
            self.in_progress.remove(number)

    async def time_out(self, cpu: Cpu, sid: StreamId, itag: int) -> int:
        """An ATC_INV is given up: nobody knows whether it was carried out."""
        number = next(number for number in self.in_progress if number % ITAGS == itag)
        await perform(Step("ATC_INV times out", gives=self.done(number)))
        self.in_progress.remove(number)
        self.overdue.append(number)
        return number

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """One command as an actor of its own."""

        async def carry_out(cpu: Cpu) -> None:
            match command.opcode:
                case Opcode.PRI_RESP:
                    code = _WIRE[PriResp(command.resp)]
                    pasid = command.ssid if command.ssv else NO_PASID
                    response = PrgResponse(sid=command.sid, pasid=pasid, prgi=command.prgi, code=code)
                    await self.respond(cpu, response, command=number)
                case Opcode.ATC_INV:
                    await self.downstream.send_posted(invalidate_request(number, command), "send Invalidate Request")
                case _:
                    await self.take_effect(cpu, number, command)

        return carry_out

    async def take_effect(self, cpu: Cpu, number: int, command: Command) -> None:
        """Drop what the command names, in one step."""
        writes = self.world.session.footprint(resources_of(command, self.smmu.streams))
        await perform(Step(command.opcode.name, writes=writes, gives=self.done(number)))
        apply(command, self.smmu)
        self.in_progress.remove(number)
        cpu.emit(CommandDone(number=number, text=f"{command.opcode.name} done"))


def invalidate_request(number: int, command: Command) -> InvalidateRequest:
    """What an ATC_INV sends; a tag is free again when the completion with it was seen.

    The SMMU aligns the address down to the size (IHI 0070 §4.5.1), so a range that is not aligned loses its end.
    """
    pages = 1 << command.size
    return InvalidateRequest(
        sid=command.sid,
        pasid=command.ssid if command.ssv else NO_PASID,
        address=VirtAddr(command.address & -(pages << PAGE_SHIFT)),
        pages=pages,
        everything=command.size == ATC_INV_EVERYTHING,
        itag=number % ITAGS,
    )
