"""What becomes of a device that does not answer an ATC_INV (smmuv3 §1.5, SMMU-R13): nobody asks, or it is shut out.

The fix is a proposal of 2026 of which only the cover letter is known; how the caller learns of the failure is our own.
"""

from __future__ import annotations

from hw.bus import PhysAddr, StreamId
from hw.smmuv3 import commands
from hw.smmuv3.queues import Ring
from hw.smmuv3.registers import Registers
from hw.smmuv3.ste import abort_ste, ste_address

from ..cpu import Cpu, Interrupt
from ..kernel.memory.pasid import Bond
from .cmdq import Cmdq
from .contexts import StreamContexts
from .gerror import ErrorHandler


class Quarantines(StreamContexts):
    """Asks after each ATC_INV whether the CMD_SYNC behind it has failed, before anybody frees what it covered."""

    def __init__(self, table: PhysAddr, sid: StreamId, cmdq: Cmdq, streams: PhysAddr, *, failed: PhysAddr) -> None:
        """`failed` is the word in which the error handler leaves a note."""
        StreamContexts.__init__(self, table, sid, cmdq, streams)
        self._failed = failed
        self._ste = ste_address(streams, sid)

    async def invalidate_atc(self, cpu: Cpu, bond: Bond) -> None:
        """If the CMD_SYNC failed, cut the stream off: with ATSCHK its translated traffic is cut off, too."""
        await super().invalidate_atc(cpu, bond)
        if await cpu.load(self._failed, "has the CMD_SYNC failed?"):
            await cpu.store(self._ste, abort_ste()[0], f"STE[{self._sid}].q0 = abort")
            await self._cmdq.issue_sync(cpu, commands.cfgi_ste(self._sid))


class NotesFailures(ErrorHandler):
    """Leaves a note while the queue still stands: whoever waits for the CMD_SYNC finds it when he returns."""

    def __init__(self, registers: Registers, ring: Ring, irq: Interrupt, *, failed: PhysAddr) -> None:
        """`failed` is the word that takes the note."""
        ErrorHandler.__init__(self, registers, ring, irq)
        self._failed = failed

    async def sync_failed(self, cpu: Cpu, cons: int) -> None:
        """Leave the note."""
        await cpu.store(self._failed, 1, "the CMD_SYNC has failed")


class NotesLate(NotesFailures):
    """BUG: acknowledges first, so the CMD_SYNC completes and its caller looks before the note is there."""

    async def repair(self, cpu: Cpu) -> None:
        """Nothing is done before the acknowledgement."""

    async def acknowledge(self, cpu: Cpu, gerror: int) -> None:
        """Acknowledge, then do the whole repair."""
        await super().acknowledge(cpu, gerror)
        await super().repair(cpu)


class NeverAcknowledges(ErrorHandler):
    """BUG: takes notice of the error and leaves GERRORN as it is: the queue stands still for everybody."""

    async def acknowledge(self, cpu: Cpu, gerror: int) -> None:
        """The error is not acknowledged."""


REACTIONS: dict[str, tuple[type[StreamContexts], type[ErrorHandler]]] = {
    "unacknowledged": (StreamContexts, NeverAcknowledges),
    "ignored": (StreamContexts, ErrorHandler),
    "late-note": (Quarantines, NotesLate),
    "quarantine": (Quarantines, NotesFailures),
}
