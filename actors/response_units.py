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
    """A wait completes when the responses before it have left, as VT-d promises for a wait with PD=1 (§2.4).

    A CMD_SYNC of SMMUv3 says nothing about them (domain/smmuv3 §1.5), which is what `SmmuUnits` does.
    """

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """A response counts among what a wait looks at."""
        if command.opcode is Opcode.PRI_RESP:
            self.in_progress.append(number)
        return SmmuUnits.command(self, number, command)

    async def respond(self, cpu: Cpu, response: PrgResponse, *, command: int, automatic_for: int = 0) -> None:
        """Until it is on the link, ahead of whatever the host writes to the function after the wait."""
        gives = self.done(command) if command >= 0 else 0
        ordinal = await self.downstream.send_posted(response, "send PRG Response", gives=gives)
        if command >= 0:
            self.in_progress.remove(command)
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
