"""What a wait in the command queue says about page responses before it: on SMMUv3 nothing, on VT-d with PD=1 all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from hw.events import ResponseSent
from hw.pcie.events import InvalidationTimedOut
from hw.pcie.tlp import PrgResponse
from hw.smmuv3.commands import Command, Opcode

from .resettable import IGNORED, ResettableFunction
from .runtime.step import Step, perform
from .runtime.world import Cpu
from .smmu import ITAGS, SmmuUnits


class DrainsResponses(SmmuUnits):
    """A wait completes when the responses before it have left, as VT-d promises for a wait with PD=1 (§2.4)."""

    async def respond(self, cpu: Cpu, response: PrgResponse, *, command: int, automatic_for: int = 0) -> None:
        """The completion of the command is what a wait takes."""
        gives = self.done(command) if command >= 0 else 0
        ordinal = await self.downstream.send_posted(response, "send PRG Response", gives=gives)
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


class ForgetsResponses(SmmuUnits):
    """A PRI_RESP is fire and forget: a CMD_SYNC says nothing about those before it (domain/smmuv3 §1.5)."""

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """Out of the list that a SYNC looks at; it is on it again only within the step that sends the response."""
        carry_out = SmmuUnits.command(self, number, command)
        if command.opcode is Opcode.PRI_RESP:
            self.in_progress.remove(number)
        return carry_out

    async def respond(self, cpu: Cpu, response: PrgResponse, *, command: int, automatic_for: int = 0) -> None:
        """As ever."""
        await SmmuUnits.respond(self, cpu, response, command=command, automatic_for=automatic_for)
        if command >= 0:
            self.in_progress.append(command)


def add_invalidation_timer(units: SmmuUnits, device: ResettableFunction) -> None:
    """A daemon that ends an ATC_INV which the device will never answer; what software does about it is left out.

    The next CMD_SYNC then fails with CERROR_ATC_INV_SYNC and the queue stops (domain/smmuv3 §1.5); here it goes on.
    """

    async def timer(cpu: Cpu) -> None:
        while True:
            await cpu.wait("an overdue ATC_INV", lambda: bool(device.ignored), writes=(IGNORED,), idle=True)
            itag = device.ignored.pop(0)
            number = next(number for number in units.in_progress if number % ITAGS == itag)
            await perform(Step("ATC_INV times out", gives=units.done(number)))
            units.in_progress.remove(number)
            cpu.emit(InvalidationTimedOut(command=number))

    units.world.add_actor("smmu.timer", timer, daemon=True)
