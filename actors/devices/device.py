"""The endpoint: an engine that faults pages in and writes to them, and a receiver of what the host sends.

Four kinds of device, one flow; a kind overrides one step. The world starts where seed 000 does: the first translation
request has already come back with R=W=0, so the engine begins with a page request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from drivers.cpu import Cpu as KernelCpu
from drivers.kernel.endpoint import STOP, STOPPED, Endpoint
from hw.bus import Pasid, Resource, StreamId, VirtAddr
from hw.events.link import (
    DEVICE_LIFE,
    DEVICE_PRI,
    AtcInvalidated,
    DeviceStopped,
    DmaIssued,
    PageRequestSent,
    ResponseReceived,
    StopMarkerSent,
    pasid_resource,
)
from hw.memory import Memory
from hw.pcie.ats import Atc, AtcEntry, NoTranslation, hits
from hw.pcie.pri import PageRequestInterface, Reaction
from hw.pcie.tlp import (
    Dma,
    InvalidateCompletion,
    InvalidateRequest,
    PageRequest,
    PrgResponse,
    TranslationCompletion,
    TranslationRequest,
    request_to_write,
    stop_marker,
)

from ..runtime.primitives.link import Link
from ..runtime.primitives.step import Step, perform
from ..runtime.world import Cpu, World
from .job import Job

ATC = ("device", "ATC")
BEGUN = ("device", "begun")


SID = StreamId(0)


@dataclass(slots=True)
class Device:
    """Stop style A: finish the groups, wait for every response, then report. `style` names the kind in events."""

    world: World
    endpoint: Endpoint
    upstream: Link
    downstream: Link
    pri: PageRequestInterface
    jobs: list[Job]
    pasid: Pasid
    meant_for: str
    sid: StreamId = SID
    host: str = "smmu"
    """The lane that its messages go to, on a ladder."""
    retries: int = 1
    """How often a page that is gone again after a Success is requested again."""
    atc: Atc = field(default_factory=Atc)
    by_prgi: dict[int, Job] = field(default_factory=dict)
    tag: int = 0
    asked_before: int = 0
    """How many translation requests had been sent when the invalidation came that is being answered."""
    answered: list[tuple[int, InvalidateRequest]] = field(default_factory=list)
    """Ghost: that number, and the invalidation, of each that was answered."""
    requests_sent: int = 0
    failed: bool = False
    """A translation request was refused with UR or CA."""
    refusal: NoTranslation | None = None
    """Why the last translation request brought nothing."""

    answers: ClassVar[Resource] = ATC
    """What an Invalidate Completion changes: which requests in flight are outdated. A kind may tell that apart."""

    style = "A"
    late_writes = False
    """Whether somebody asks if a translated write leaves before or after the end of unbind."""

    @property
    def memory(self) -> Memory:
        """For conditions on the two registers that the host writes."""
        return self.world.memory

    def stop_requested(self) -> bool:
        """CONTROL says STOP; whoever asks has CONTROL in its footprint."""
        return self.memory.read(self.endpoint.control) == STOP

    def may_send(self) -> bool:
        """A group may be started: PRI is on and the host has not asked for a stop."""
        return self.pri.enabled and self.memory.read(self.endpoint.pri_enable) == 1 and not self.stop_requested()

    async def stopped(self, cpu: KernelCpu) -> None:
        """Software's wait for PRI Status.Stopped: PRI is off and every group has its response."""
        enable = self.endpoint.pri_enable
        await cpu.wait(
            "PRI Status.Stopped",
            lambda: self.pri.answered and not self.memory.read(enable),
            reads=(DEVICE_PRI, ("word", enable)),
        )

    async def engine(self, cpu: Cpu) -> None:
        """All jobs' first requests, then their answers; then the stop, when the host asks for it."""
        for job in self.jobs:
            await self.request(cpu, job)
        for job in self.jobs:
            await self.complete(cpu, job)
        await self.stop(cpu)

    async def begun(self) -> None:
        """One step of whoever waits until the device has sent its first page request."""
        await perform(
            Step(
                "the device has sent a page request",
                takes=self.world.mask(BEGUN),
                ready=lambda: self.requests_sent > 0,
                blocked=lambda: "the device's first page request",
            )
        )

    async def request(self, cpu: Cpu, job: Job) -> bool:
        """Send a page request group, if PRI is on; once begun it is finished, as without its Last it helps nobody."""
        control = ("word", self.endpoint.control), ("word", self.endpoint.pri_enable)
        need = min(len(job.pages), self.pri.credits)
        await cpu.wait(
            f"{need} page request credits, or stop",
            lambda: not self.may_send() or self.pri.room_for(need),
            reads=control,
            writes=(DEVICE_PRI,),
        )
        if not self.may_send():
            return False
        job.prgi = self.pri.open_group(self.pasid)
        job.open = True
        job.reaction = None
        job.tries += 1
        self.by_prgi[job.prgi] = job
        for position, page in enumerate(job.pages[:need]):
            await self.page_request(cpu, job, page, position == need - 1)
        return True

    async def page_request(self, cpu: Cpu, job: Job, page: VirtAddr, last: bool) -> None:
        """One PPR."""
        message, mask = request_to_write(self.sid, self.pasid, page, job.prgi, last=last), self.world.mask
        begun = 0 if self.requests_sent else mask(BEGUN)
        ordinal = await self.upstream.send_posted(message, "send PPR", mask(DEVICE_LIFE), mask(DEVICE_PRI), begun)
        self.pri.send(message.prgi, last=last)
        self.requests_sent += 1
        cpu.emit(self.request_sent(ordinal, job, message))

    def request_sent(self, ordinal: int, job: Job, message: PageRequest) -> PageRequestSent:
        """The event of a page request that has left."""
        return PageRequestSent(
            ordinal=ordinal,
            pasid=message.pasid,
            prgi=message.prgi,
            group=job.number,
            address=message.address,
            last=message.last,
            target=self.host,
        )

    async def complete(self, cpu: Cpu, job: Job) -> None:
        """Wait for the answer. Success means ask again: the page may be gone once more (seed 001). Else give up."""
        while job.tries:
            await cpu.wait(
                f"response for group {job.prgi}, or stop",
                lambda: job.reaction is not None or not job.open or self.stop_now(),
                reads=(DEVICE_PRI, ("word", self.endpoint.control)),
            )
            if job.reaction is not Reaction.RETRY or self.stop_now():
                return
            if await self.access(cpu, job) or self.failed or job.tries > self.retries:
                return
            if not await self.request(cpu, job):
                return

    def stop_now(self) -> bool:
        """Whether a job is given up because the host wants a stop."""
        return self.stop_requested()

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """Translate and write each page; False if one is not there."""
        for page in job.pages:
            written = False
            while not written:
                entry = await self.translate(cpu, page)
                if entry is None:
                    return False
                written = await self.dma(cpu, entry, job)
        return True

    async def translate(self, cpu: Cpu, page: VirtAddr) -> AtcEntry | None:
        """A translation request, its completion, and what the in-flight rule leaves of it; None for a hole."""
        while True:
            await cpu.access("begin translation request", writes=(ATC,))
            if not self.works():
                return None
            self.tag += 1
            self.atc.begin_request(self.tag, self.pasid, page)
            request = TranslationRequest(sid=self.sid, pasid=self.pasid, address=page, write=True, tag=self.tag)
            await self.upstream.send_ordered("non-posted", request, "send Translation Request")
            completion: TranslationCompletion = await self.downstream.receive_ordered(
                cpu, "completion", "take Translation Completion"
            )
            await cpu.access("ATC fill", writes=(ATC,))
            found = self.atc.complete(completion.tag, completion)
            if found in (NoTranslation.ABORTED, NoTranslation.UNSUPPORTED_REQUEST):
                self.failed = True  # an error at the device (AER); no page request could help
            self.refusal = found if isinstance(found, NoTranslation) else None
            if found is not NoTranslation.STALE:
                return found if isinstance(found, AtcEntry) else None

    def works(self) -> bool:
        """Asked in the step that begins a translation request: whether the function is there to send it."""
        return True

    async def dma(self, cpu: Cpu, entry: AtcEntry, job: Job) -> bool:
        """A translated write, unless the entry was invalidated meanwhile; posted, so no INVC sent later passes it."""
        return await self.post(cpu, entry, job, lambda: self.atc.lookup(self.pasid, entry.virtual_page) is not None)

    async def post(self, cpu: Cpu, entry: AtcEntry, job: Job, only_if: Callable[[], bool] | None = None) -> bool:
        """Send the write, if `only_if`, asked in that step, does not object."""
        mask = self.world.mask
        message = Dma(
            sid=self.sid,
            pasid=self.pasid,
            address=entry.page,
            write=True,
            translated=True,
            tag=self.tag,
            value=job.number + 1,
        )
        reads = mask(DEVICE_LIFE) | mask(ATC)
        if self.late_writes:
            reads |= mask(pasid_resource(self.pasid))
        ordinal = await self.upstream.send_posted(message, "send DMA write", reads, only_if=only_if)
        if ordinal:
            behind = self.behind(entry)
            cpu.emit(DmaIssued(pasid=self.pasid, page=entry.page, ordinal=ordinal, behind=behind, target=self.host))
        return bool(ordinal)

    def behind(self, entry: AtcEntry) -> int:
        """The ITag of an answered invalidation that took `entry`, just asked for, away again; -1 if there is none."""
        late = (
            request.itag
            for asked, request in self.answered
            if self.tag <= asked and hits(request, entry.pasid, entry.virtual_page)
        )
        return next(late, -1)

    async def stop(self, cpu: Cpu) -> None:
        """The device-specific stop of PCIe 6.20.1: settle the requests, push what is posted, report."""
        await cpu.poll(self.endpoint.control, lambda control: control == STOP, "device CONTROL = STOP")
        await self.settle(cpu)
        await self.forget(cpu)
        await self.upstream.flush(cpu)
        await self.report(cpu)
        await self.after_report(cpu)

    async def settle(self, cpu: Cpu) -> None:
        """Style A: wait for the response to every page request."""
        await cpu.wait(
            "all page requests answered", lambda: self.pri.outstanding_of(self.pasid) == 0, reads=(DEVICE_PRI,)
        )

    async def forget(self, cpu: Cpu) -> None:
        """Stopping a PASID drops its translations."""
        await cpu.access("drop the PASID's ATC entries", writes=(ATC,))
        self.atc.stop_pasid(self.pasid)

    async def report(self, cpu: Cpu) -> None:
        """STATUS = STOPPED."""
        status = self.endpoint.status
        await cpu.access("device STATUS = STOPPED", reads=(DEVICE_PRI,), writes=(("word", status), DEVICE_LIFE))
        self.memory.write(status, STOPPED)
        cpu.emit(DeviceStopped(pasid=self.pasid, style=self.style, open_groups=self.pri.outstanding_of(self.pasid)))

    async def after_report(self, cpu: Cpu) -> None:
        """Style A owes nothing more."""

    async def enabled(self, cpu: KernelCpu) -> bool:
        """Software's look at PRI Control.Enable."""
        await cpu.access("PRI Control.Enable", reads=(DEVICE_PRI,))
        return self.pri.enabled

    async def receiver(self, cpu: Cpu) -> None:
        """What the host sends: responses and invalidations, in order."""
        mask = self.world.mask
        while True:
            match await self.downstream.receive_posted(cpu):
                case PrgResponse() as response:
                    await self.downstream.deliver("take PRG Response", writes=mask(DEVICE_PRI))
                    self.respond(cpu, response)
                case InvalidateRequest() as request:
                    await self.invalidate(cpu, request)
                case unexpected:
                    raise TypeError(f"device cannot take {unexpected}")

    async def invalidate(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """Forget what the host names, and say so."""
        await self.downstream.deliver("take Invalidate Request", writes=self.world.mask(ATC))
        self.atc.invalidate(request)
        self.asked_before = self.tag
        cpu.emit(AtcInvalidated(pasid=request.pasid))
        await self.acknowledge(cpu, request)

    async def acknowledge(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """The Invalidate Completion, behind every write that used what the request names."""
        done = InvalidateCompletion(sid=self.sid, itag=request.itag)
        await self.upstream.send_posted(done, "send Invalidate Completion", writes=self.world.mask(self.answers))
        self.atc.completion_sent(request.itag)
        self.answered.append((self.asked_before, request))

    def respond(self, cpu: Cpu, response: PrgResponse) -> None:
        """A PRG Response in the step that takes it."""
        job = self.by_prgi.get(response.prgi)
        known = job is not None and job.open
        reaction = self.pri.respond(response.prgi, response.code)
        if job is not None and known and reaction is not Reaction.UNEXPECTED:
            job.open = False
            job.reaction = reaction
        cpu.emit(
            ResponseReceived(
                ordinal=self.downstream.posted.received,
                prgi=response.prgi,
                code=response.code,
                group=job.number if job is not None and known else -1,
                outstanding=self.pri.outstanding,
            )
        )


class MarkerDevice(Device):
    """Stop style B: forget what is outstanding, report, and send a Stop Marker behind all requests."""

    style = "B"

    async def settle(self, cpu: Cpu) -> None:
        """Responses to what is outstanding will only give credits back."""
        await cpu.access("mark outstanding page requests stale", writes=(DEVICE_PRI,))
        self.pri.mark_stale(self.pasid)

    async def after_report(self, cpu: Cpu) -> None:
        """The marker; its order with the report is free, and after it is the harder case for the host."""
        ordinal = await self.upstream.send_posted(stop_marker(self.sid, self.pasid), "send Stop Marker")
        cpu.emit(StopMarkerSent(ordinal=ordinal, pasid=self.pasid, target=self.host))


class LeakyDevice(MarkerDevice):
    """BUG: ignores responses to stale requests, so their credits never come back."""

    def respond(self, cpu: Cpu, response: PrgResponse) -> None:
        """Only what somebody waits for is looked at."""
        if self.pri.outstanding_of(self.pasid):
            MarkerDevice.respond(self, cpu, response)


class BrokenDevice(Device):
    """BUG: reports that it stopped, and keeps sending requests for the PASID."""

    style = "broken"

    def may_send(self) -> bool:
        """It never looks at CONTROL."""
        return self.pri.enabled

    def stop_now(self) -> bool:
        """No job is given up."""
        return False

    async def stop(self, cpu: Cpu) -> None:
        """Report at once; then one more request."""
        await cpu.poll(self.endpoint.control, lambda control: control == STOP, "device CONTROL = STOP")
        await self.report(cpu)
        late = Job(number=len(self.jobs), pages=self.jobs[0].pages[:1])
        await self.request(cpu, late)
        await self.complete(cpu, late)


STYLES: dict[str, type[Device]] = {"A": Device, "B": MarkerDevice, "broken": BrokenDevice}
