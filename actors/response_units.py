"""What a wait in the command queue says about page responses before it: on SMMUv3 nothing, on VT-d with PD=1 all."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from hw.pcie.events import InvalidationTimedOut
from hw.pcie.tlp import PrgResponse
from hw.smmuv3.commands import Command, Opcode

from .command_units import ITAGS
from .resettable import IGNORED
from .runtime.step import Step, perform
from .runtime.world import Cpu
from .smmu import SmmuUnits


class Unanswering(Protocol):
    """A function that leaves invalidations unanswered."""

    ignored: list[int]
    """ITags, oldest first."""


class DrainsResponses(SmmuUnits):
    """A wait completes when the responses before it have left, as VT-d promises for a wait with PD=1 (§2.4).

    A CMD_SYNC of SMMUv3 says nothing about them (domain/smmuv3 §1.5), which is what `SmmuUnits` does.
    """

    def command(self, number: int, command: Command) -> Callable[[Cpu], Coroutine[Any, Any, None]]:
        """A response counts among what a wait looks at."""
        if command.opcode is Opcode.PRI_RESP:
            self.in_progress.append(number)
        return SmmuUnits.command(self, number, command)

    async def respond(
        self,
        cpu: Cpu,
        response: PrgResponse,
        *,
        command: int,
        automatic_for: int = 0,
        reads: int = 0,
        writes: int = 0,
        gives: int = 0,
    ) -> None:
        """Until it is on the link, ahead of whatever the host writes to the function after the wait."""
        await SmmuUnits.respond(
            self,
            cpu,
            response,
            command=command,
            automatic_for=automatic_for,
            reads=reads,
            writes=writes,
            gives=gives | (self.done(command) if command >= 0 else 0),
        )
        if command >= 0:
            self.in_progress.remove(command)


def add_invalidation_timer(units: SmmuUnits, device: Unanswering) -> None:
    """A daemon that ends an ATC_INV which the device will never answer.

    The next CMD_SYNC then fails, and the queue stops (domain/smmuv3 §1.5); what software does then is `cmdq-error`.
    """

    async def timer(cpu: Cpu) -> None:
        while True:
            await cpu.wait("an overdue ATC_INV", lambda: bool(device.ignored), writes=(IGNORED,), idle=True)
            itag = device.ignored.pop(0)
            number = next(number for number in units.in_progress if number % ITAGS == itag)
            await perform(Step("ATC_INV times out", gives=units.done(number)))
            units.time_out(number)
            cpu.emit(InvalidationTimedOut(command=number))

    units.world.add_actor("smmu.timer", timer, daemon=True)
