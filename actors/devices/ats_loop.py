"""The loop of seed 001: the device translates, and writes if there is a page; if there is none it asks software for it,
and on Success it begins again."""

from __future__ import annotations

from dataclasses import dataclass

from hw.bus import Pasid, StreamId, VirtAddr
from hw.events.link import DEVICE_PRI
from hw.pcie.ats import AtcEntry, NoTranslation
from hw.pcie.events import AccessEnded, AccessOutcome, DeviceError, DeviceErrorSeen
from hw.pcie.pri import Reaction
from hw.pcie.tlp import Dma

from ..runtime.primitives.ports import Port
from ..runtime.world import Cpu
from .device import ATC, Device
from .job import Job

ERRORS = {
    NoTranslation.UNSUPPORTED_REQUEST: DeviceError.UNSUPPORTED_REQUEST,
    NoTranslation.ABORTED: DeviceError.COMPLETER_ABORT,
}
"""Completions that end an access; a hole does not."""


class AtsLoop(Device):
    """It knows no translation before it asks. To it, Success is a hint, and any other response ends the access."""

    async def engine(self, cpu: Cpu) -> None:
        """One access after the other."""
        for job in self.jobs:
            await self.loop(cpu, job)

    async def loop(self, cpu: Cpu, job: Job) -> None:
        """Until the page is written or refused; `retries` bounds how often a page may be gone again."""
        outcome: AccessOutcome | None = None
        while outcome is None:
            outcome = await self.attempt(cpu, job)
        cpu.emit(AccessEnded(job=job.number, outcome=outcome))

    async def attempt(self, cpu: Cpu, job: Job) -> AccessOutcome | None:
        """Once round the loop; None: from the start again."""
        if await self.access(cpu, job):
            return AccessOutcome.WRITTEN
        if self.refusal in ERRORS:
            return self.errs(cpu, ERRORS[self.refusal], AccessOutcome.FAILED)
        if job.tries and not self.asks_again(job):
            return AccessOutcome.GIVEN_UP
        if not await self.request(cpu, job):
            return AccessOutcome.STOPPED
        await self.answer(cpu, job)
        if job.reaction is Reaction.RETRY:
            return AccessOutcome.WRITTEN if await self.after_success(cpu, job) else None
        return (
            None if self.retries_after_failure(job) else self.errs(cpu, DeviceError.PAGE_REFUSED, AccessOutcome.REFUSED)
        )

    def errs(self, cpu: Cpu, error: DeviceError, outcome: AccessOutcome) -> AccessOutcome:
        """Report an error within the step that met it."""
        cpu.emit(DeviceErrorSeen(pasid=self.pasid, error=error))
        return outcome

    async def answer(self, cpu: Cpu, job: Job) -> None:
        """Wait for the response to the group."""
        await cpu.wait(
            f"response for group {job.prgi}",
            lambda: job.reaction is not None or not job.open,
            reads=(DEVICE_PRI,),
        )

    def asks_again(self, job: Job) -> bool:
        """The page is gone once more: ask for it again, as often as the bound allows."""
        return job.tries <= self.retries

    async def after_success(self, cpu: Cpu, job: Job) -> bool:
        """Software has made the page present, which says nothing about now; True would end the access."""
        return False

    def retries_after_failure(self, job: Job) -> bool:
        """Software will not serve this address: abort."""
        return False


class GivesUp(AtsLoop):
    """BUG: takes a page that is gone again for an error; the access is lost although nobody refused it."""

    def asks_again(self, job: Job) -> bool:
        """Once is enough."""
        return False


class RetriesAfterFailure(AtsLoop):
    """BUG: asks again for what software has refused, and so for ever: the address will never be valid."""

    def retries_after_failure(self, job: Job) -> bool:
        """It asks again, as after a Success."""
        return job.tries <= self.retries


class AnswersEarly(AtsLoop):
    """BUG: answers an invalidation while a write that uses the page still waits inside (PCIe 10.3.1)."""

    async def dma(self, cpu: Cpu, entry: AtcEntry, job: Job) -> bool:
        """The ATC is asked when the write is made, and not when it leaves."""
        await cpu.access("a write waits to be sent", reads=(ATC,))
        if self.atc.lookup(self.pasid, entry.virtual_page) is None:
            return False
        return await self.post(cpu, entry, job)


@dataclass(slots=True, kw_only=True)
class TrustsSuccess(AtsLoop):
    """BUG: takes Success for a promise and writes untranslated; if the page is gone again, the write is lost."""

    untranslated: Port

    async def after_success(self, cpu: Cpu, job: Job) -> bool:
        """The pages are there, so a write cannot fail."""
        for page in job.pages:
            await cpu.send(self.untranslated, untranslated_write(self.sid, self.pasid, page, job.number))
        return True


def untranslated_write(sid: StreamId, pasid: Pasid, page: VirtAddr, number: int) -> Dma:
    """A posted write with a virtual address (AT=00): nobody answers it."""
    return Dma(sid=sid, pasid=pasid, address=page, write=True, translated=False, tag=number, value=number + 1)
