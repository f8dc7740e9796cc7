"""What software does with a page request once it has left the queue (seed 000, (3)), and how it answers one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from drivers.cpu import Cpu
from drivers.events.binding import Answered, PageRequestTaken
from hw.bus import Pasid, Prgi, Resource
from hw.pcie.tlp import ResponseCode

from .iopf import FaultGroup, Iopf, PageFault


def marker_resource(pasid: Pasid) -> Resource:
    """How many Stop Markers of a PASID software has seen."""
    return ("stop marker seen", pasid)


class QueueEntry(PageFault, Protocol):
    """An entry of the queue: a page fault, or a Stop Marker."""

    @property
    def is_stop_marker(self) -> bool:
        """Last without Read and Write, with a PASID."""
        ...


class Intake:
    """Faults go to the fault code; a Stop Marker ends a PASID's old life."""

    def __init__(self, iopf: Iopf, queue: str, *, marker_discards: bool = True) -> None:
        """`queue` is what the IOMMU calls the queue that entries are taken from.

        `marker_discards`: the thread gives up what has no Last when the marker comes; VT-d's only goes on (vtd-pcie
        §3.5).
        """
        self.iopf = iopf
        self.queue = queue
        self.marker_discards = marker_discards
        self.markers: dict[Pasid, int] = {}

    async def take(self, cpu: Cpu, number: int, entry: QueueEntry) -> None:
        """Entry `number`, within the step that took it; then what becomes of it."""
        cpu.emit(PageRequestTaken(number=number, pasid=entry.pasid, marker=entry.is_stop_marker, queue=self.queue))
        if entry.is_stop_marker:
            await self.stop_marker(cpu, number, entry)
        else:
            await self.iopf.report(cpu, number, entry)

    async def stop_marker(self, cpu: Cpu, number: int, entry: QueueEntry) -> None:
        """Everything before it belongs to the PASID's old life: what has no Last will never get one. No response."""
        if self.marker_discards:
            await self.iopf.discard_partial(cpu, entry.pasid)
        await cpu.access(f"Stop Marker of PASID {entry.pasid} seen", writes=(marker_resource(entry.pasid),))
        self.markers[entry.pasid] = self.markers.get(entry.pasid, 0) + 1


class ResponseQueue(Protocol):
    """Where an IOMMU takes its page responses from."""

    lane: str
    """The lane on a ladder that the response goes to."""
    response: str
    """What this IOMMU calls the command."""

    def code(self, code: ResponseCode) -> int:
        """The number that stands for `code` in this IOMMU's command."""
        ...

    async def issue_response(
        self, cpu: Cpu, pasid: Pasid, prgi: Prgi, code: ResponseCode, published: Callable[[int], None]
    ) -> None:
        """Write the command; `published` is called with its number in the step after which the IOMMU can see it."""
        ...


class Responder:
    """Answers a fault group."""

    def __init__(self, queue: ResponseQueue) -> None:
        self._queue = queue

    async def respond(self, cpu: Cpu, group: FaultGroup, code: ResponseCode) -> None:
        """Write the command that answers the group."""
        pasid, prgi = Pasid(group.pasid), self.prgi(group)
        queue, last = self._queue, group.numbers[-1]

        def published(command: int) -> None:
            cpu.emit(
                Answered(
                    number=last,
                    pasid=pasid,
                    prgi=prgi,
                    code=queue.code(code),
                    command=command,
                    response=queue.response,
                    target=queue.lane,
                )
            )

        await queue.issue_response(cpu, pasid, prgi, code, published)

    def prgi(self, group: FaultGroup) -> Prgi:
        """The group that the device waits for."""
        return Prgi(group.prgi)
