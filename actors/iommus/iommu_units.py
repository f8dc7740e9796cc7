"""What every IOMMU does with the link: writes that land, responses that leave, page requests that are queued or not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from hw.bus import Pasid, PhysAddr, StreamId
from hw.events.link import DmaLanded, PageRequestQueued, PageRequestRefused, ResponseSent
from hw.memory import owner_name
from hw.pcie.tlp import Dma, PageRequest, PrgResponse

from ..runtime.primitives.link import Link
from ..runtime.primitives.step import Step, perform
from ..runtime.world import Cpu, World

Arrive = Callable[[str, int, int], Awaitable[None]]
"""The step in which a posted request has ended: what becomes of it, and the masks of what that reads and writes."""


@dataclass(slots=True, kw_only=True)
class LinkUnits:
    """What the units of one IOMMU share: its two directions of the link, and what they tell about them."""

    world: World
    upstream: Link
    downstream: Link
    binding_now: Callable[[Pasid], int]
    """Ghost: which binding owns a PASID now; no hardware knows this."""
    meant_for: str
    """Ghost: whose job the device does."""
    pushed: str = "priq"
    """Where a page request is when the device may count it as pushed: in the queue, or only at the root complex."""
    accepted: int = 0
    """Page requests that were queued so far."""
    queue_name: ClassVar[str]
    """What the IOMMU calls its queue of page requests."""

    def landed(self, cpu: Cpu, dma: Dma, where: PhysAddr) -> None:
        """A write reaches memory, in a step that declared FRAMES and the word."""
        memory = self.world.memory
        memory.write(where, dma.value)
        owner = owner_name(memory.owner_of(where))
        tag, ordinal = (-1, self.upstream.posted.received) if dma.translated else (dma.tag, -1)
        cpu.emit(
            DmaLanded(pasid=dma.pasid, page=where, owner=owner, meant_for=self.meant_for, tag=tag, ordinal=ordinal)
        )

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
        """Send a PRG Response, in a step that also reads `reads`, writes `writes` and gives `gives`."""
        ordinal = await self.downstream.send_posted(response, "send PRG Response", reads, writes, gives)
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

    def queued(self, cpu: Cpu, request: PageRequest, ordinal: int) -> None:
        """A page request was written into the queue, in a step that declared the owner of its PASID."""
        cpu.emit(
            PageRequestQueued(
                number=self.accepted,
                ordinal=ordinal,
                pasid=request.pasid,
                prgi=request.prgi,
                last=request.last,
                marker=request.is_stop_marker,
                binding=self.binding_now(request.pasid),
                queue=self.queue_name,
            )
        )
        self.accepted += 1

    async def arrived(self) -> None:
        """A page request is at the root complex, where the device may count it as pushed, or may not yet."""
        if self.pushed != "priq":
            await self.upstream.deliver("page request reaches the root complex")

    async def settle(self, what: str, reads: int, writes: int) -> None:
        """The step in which a page request is queued or refused."""
        if self.pushed == "priq":
            await self.upstream.deliver(what, reads, writes)
        else:
            await perform(Step(what, reads, writes))

    async def refused(
        self, cpu: Cpu, request: PageRequest, ordinal: int, response: PrgResponse | None, why: str = "overflow"
    ) -> None:
        """A page request was kept out of the queue; hardware's own answer to it, if there is one."""
        self.report_refused(cpu, request, ordinal, -1 if response is None else response.code, why)
        if response is not None:
            await self.respond(cpu, response, command=-1, automatic_for=ordinal)

    def report_refused(self, cpu: Cpu, request: PageRequest, ordinal: int, code: int, why: str) -> None:
        """The event, in the step that refuses."""
        cpu.emit(
            PageRequestRefused(
                ordinal=ordinal,
                pasid=request.pasid,
                prgi=request.prgi,
                last=request.last,
                marker=request.is_stop_marker,
                code=code,
                queue=self.queue_name,
                why=why,
            )
        )


@dataclass(slots=True, kw_only=True)
class IommuUnits(LinkUnits, ABC):
    """A whole IOMMU, as boards know it."""

    @abstractmethod
    def add(self, world: World, *, ats: bool = True) -> None:
        """The units as actors; without `ats` nothing answers translation requests."""

    @abstractmethod
    async def time_out(self, cpu: Cpu, sid: StreamId, itag: int) -> int:
        """Give up waiting for an Invalidate Completion; the number of the command or descriptor."""

    @abstractmethod
    async def untranslated_write(self, cpu: Cpu, dma: Dma, arrive: Arrive) -> None:
        """A posted write with a virtual address: into memory, or dropped, and whoever sent it does not hear of it."""
