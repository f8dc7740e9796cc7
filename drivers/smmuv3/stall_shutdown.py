"""Taking a stream whose DMA may stall out of service, as the architecture says (smmuv3 §2.5), and otherwise.

Device, STE, CMD_SYNC, STALL_TERM, device: behind the CMD_SYNC every stall record is visible and no access stalls anew,
so that STALL_TERM meets all there are. Linux answers each record instead.
"""

from __future__ import annotations

from hw.bus import PhysAddr, StreamId
from hw.smmuv3 import LANE, commands
from hw.smmuv3.commands import ResumeResp
from hw.smmuv3.evtq import EventRecord
from hw.smmuv3.ste import abort_ste

from ..cpu import Cpu
from ..events.faults import Resumed
from ..kernel.endpoint import STOP, STOPPED, Endpoint
from .cmdq import Cmdq


class Shutdown:
    """The architected order of a shut-down."""

    def __init__(self, endpoint: Endpoint, cmdq: Cmdq, ste: PhysAddr, sid: StreamId) -> None:
        self._endpoint = endpoint
        self._cmdq = cmdq
        self._ste = ste
        self._sid = sid

    async def run(self, cpu: Cpu) -> None:
        """Until the device has seen the end of every access."""
        await cpu.store(self._endpoint.control, STOP, "device CONTROL = STOP")
        await self.cut_off(cpu)
        await self.terminate(cpu)
        await cpu.poll(self._endpoint.status, lambda status: status == STOPPED, "device STATUS = STOPPED")

    async def cut_off(self, cpu: Cpu) -> None:
        """From here accesses abort, and those that had looked at the old STE have stalled or ended."""
        await self.abort(cpu)
        await self._cmdq.issue_sync(cpu, commands.cfgi_ste(self._sid))

    async def abort(self, cpu: Cpu) -> None:
        """Store the one word that says V=1, Config=abort."""
        await cpu.store(self._ste, abort_ste()[0], f"STE[{self._sid}].q0 = abort")

    async def terminate(self, cpu: Cpu) -> None:
        """No SYNC: it would not wait for the end of what is terminated."""
        await self._cmdq.issue(cpu, commands.stall_term(self._sid))

    async def handle(self, cpu: Cpu, number: int, record: EventRecord) -> None:
        """A record in the EVTQ: nothing, as STALL_TERM is for all of them."""


class TerminatesFirst(Shutdown):
    """BUG: an access that stalls behind STALL_TERM waits for ever, and so does the device."""

    async def run(self, cpu: Cpu) -> None:
        """STALL_TERM comes before the STE is changed."""
        await cpu.store(self._endpoint.control, STOP, "device CONTROL = STOP")
        await self.terminate(cpu)
        await self.cut_off(cpu)
        await cpu.poll(self._endpoint.status, lambda status: status == STOPPED, "device STATUS = STOPPED")


class TerminatesUnsynchronised(Shutdown):
    """BUG: without a CMD_SYNC an access that looked at the old STE may still stall, behind STALL_TERM."""

    async def cut_off(self, cpu: Cpu) -> None:
        """The CFGI_STE is sent and not waited for."""
        await self.abort(cpu)
        await self._cmdq.issue(cpu, commands.cfgi_ste(self._sid))


class NeverTerminates(Shutdown):
    """BUG: takes what has stalled for gone with the configuration; only RESUME or STALL_TERM ends it."""

    async def terminate(self, cpu: Cpu) -> None:
        """No STALL_TERM is sent."""


class AnswersEach(NeverTerminates):
    """As Linux does: every record is answered with an abort by whoever takes it."""

    async def handle(self, cpu: Cpu, number: int, record: EventRecord) -> None:
        """Write one RESUME for each record."""
        if record.stall:

            def published(command: int) -> None:
                cpu.emit(Resumed(target=LANE, number=number, stag=record.stag, decision="ABORT", command=command))

            command = commands.resume(StreamId(record.sid), record.stag, ResumeResp.ABORT)
            await self._cmdq.issue(cpu, command, published=published)


SHUTDOWNS: dict[str, type[Shutdown]] = {
    "term-first": TerminatesFirst,
    "no-sync": TerminatesUnsynchronised,
    "no-term": NeverTerminates,
    "resume-each": AnswersEach,
    "architected": Shutdown,
}
