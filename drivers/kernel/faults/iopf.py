"""I/O page faults: requests gathered into groups, handled by a worker, answered once (smmuv3 §3.12).

The owner of the PASID is looked up by the worker, when the fault is handled: step (4) of seed 000, as in 2017. Later
kernels find it when the fault is reported (vtd-pcie §3.7), and the worker uses what was found.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from drivers.cpu import Cpu, Workqueue
from drivers.events.binding import FaultDropped
from drivers.events.faults import PARTIAL, GroupClosed
from hw.bus import Pasid, Prgi, VirtAddr
from hw.events.link import pasid_resource
from hw.pcie.tlp import ResponseCode

from ..memory.mm import Mm
from ..memory.pasid import Bond, Pasids, resolved

Respond = Callable[[Cpu, "FaultGroup", ResponseCode], Coroutine[Any, Any, None]]


class PageFault(Protocol):
    """One page request, as far as this code looks at it."""

    @property
    def pasid(self) -> Pasid:
        """The PASID of the address space that the page is in."""
        ...

    @property
    def prgi(self) -> Prgi:
        """The number of the group that the request belongs to."""
        ...

    @property
    def last(self) -> bool:
        """Whether the request closes its group."""
        ...

    @property
    def address(self) -> VirtAddr:
        """The address of the page."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultGroup:
    """A page request group on its way to the worker: queue entry numbers and page addresses, Last at the end."""

    pasid: int
    prgi: int
    numbers: Sequence[int]
    addresses: Sequence[int]


class Iopf:
    """The partial list, the work queue, and the worker's way through a group."""

    def __init__(self, pasids: Pasids, workqueue: Workqueue, respond: Respond, *, put_async: bool = True) -> None:
        self._pasids = pasids
        self._workqueue = workqueue
        self._respond = respond
        self._put_async = put_async
        self._partial: list[tuple[int, PageFault]] = []

    async def report(self, cpu: Cpu, number: int, entry: PageFault) -> None:
        """Take one request from the queue: keep it until its Last comes, or hand the whole group to the worker.

        Groups are told apart by PRGIndex alone, as the kernel does; the PASID is not compared.
        """
        if not entry.last:
            await cpu.access(f"partial list: add #{number}", writes=(PARTIAL,))
            self._partial.append((number, entry))
            self.added(cpu, number)
            return
        await cpu.access(f"partial list: close group {entry.prgi}", writes=(PARTIAL,))
        self.walked(cpu)
        members = [item for item in self._partial if item[1].prgi == entry.prgi] + [(number, entry)]
        self._partial = [item for item in self._partial if item[1].prgi != entry.prgi]
        group = FaultGroup(
            pasid=entry.pasid,
            prgi=entry.prgi,
            numbers=[count for count, _ in members],
            addresses=[member.address for _, member in members],
        )
        cpu.emit(GroupClosed(prgi=group.prgi, numbers=group.numbers))
        await self.hand_over(cpu, group)

    async def hand_over(self, cpu: Cpu, group: FaultGroup) -> None:
        """Queue the group for the worker."""
        await self._workqueue.queue(group)

    async def discard_partial(self, cpu: Cpu, pasid: Pasid | None) -> None:
        """Drop the requests whose Last never came, of one PASID or of all; one step for each that there is."""
        await cpu.access("partial list: look", writes=(PARTIAL,))
        gone = [item for item in self._partial if pasid is None or item[1].pasid == pasid]
        self.discard(cpu, gone)
        for number, entry in gone:
            await self._pasids.look_up(cpu, entry.pasid)
            cpu.emit(FaultDropped(number=number, pasid=entry.pasid))

    def added(self, cpu: Cpu, number: int) -> None:
        """A request was put on the partial list; here and below the step has declared PARTIAL."""

    def walked(self, cpu: Cpu) -> None:
        """Every request on the partial list is looked at."""

    def discard(self, cpu: Cpu, gone: Sequence[tuple[int, PageFault]]) -> None:
        """Take requests off the partial list and forget them."""
        self._partial = [item for item in self._partial if item not in gone]

    async def flush(self, cpu: Cpu) -> None:
        """Wait until the groups that are queued now are answered."""
        await self._workqueue.flush(cpu)

    async def work(self, cpu: Cpu) -> None:
        """The worker: one group after the other."""
        while True:
            number, group = await self._workqueue.take(cpu)
            code = await self._handle(cpu, group)
            await self._respond(cpu, group, code)
            await self.release(cpu, group)
            await self._workqueue.finish(number)

    async def release(self, cpu: Cpu, group: FaultGroup) -> None:
        """The group was answered: its memory goes."""

    async def find(self, cpu: Cpu, group: FaultGroup) -> Bond | None:
        """Whose fault it is, asked by the worker: who owns the PASID now."""
        return await self._pasids.look_up(cpu, Pasid(group.pasid))

    def resolve(self, cpu: Cpu, group: FaultGroup, bond: Bond | None) -> None:
        """Say whose fault it is."""
        for number in group.numbers:
            resolved(cpu, number, Pasid(group.pasid), bond)

    async def _handle(self, cpu: Cpu, group: FaultGroup) -> ResponseCode:
        bond = await self.find(cpu, group)
        if bond is not None and bond.dying:
            bond = None
        self.resolve(cpu, group, bond)
        if bond is None or not await bond.mm.get_not_zero(cpu):
            return ResponseCode.INVALID
        code = ResponseCode.SUCCESS
        for address in group.addresses:
            if not await bond.mm.handle_fault(cpu, VirtAddr(address)):
                code = ResponseCode.INVALID
                break
        await self.drop(cpu, bond.mm)
        return code

    async def drop(self, cpu: Cpu, mm: Mm) -> None:
        """Give the pin back; who drops the last one tears the address space down.

        `put_async` leaves that to a work of its own (mmput_async). Without it the worker runs the release callback,
        which in the draining variants waits for this very work.
        """
        if not await mm.put(cpu):
            return
        if self._put_async:
            await cpu.spawn("mmput_async", mm.exit_mmap)
        else:
            await mm.exit_mmap(cpu)


class FindsAtReport(Iopf):
    """The handle is found when the fault is reported and kept without a reference: only unbind's order protects it."""

    def __init__(self, pasids: Pasids, workqueue: Workqueue, respond: Respond, *, put_async: bool = True) -> None:
        super().__init__(pasids, workqueue, respond, put_async=put_async)
        self._handles: dict[int, Bond] = {}

    async def hand_over(self, cpu: Cpu, group: FaultGroup) -> None:
        """A fault of nobody is answered Invalid at once, and not queued."""
        bond = await self._pasids.look_up(cpu, Pasid(group.pasid))
        if bond is None:
            self.resolve(cpu, group, None)
            await self._respond(cpu, group, ResponseCode.INVALID)
            return
        self._handles[group.numbers[-1]] = bond
        await super().hand_over(cpu, group)

    async def find(self, cpu: Cpu, group: FaultGroup) -> Bond | None:
        """What the handle says, whoever owns the PASID now."""
        await cpu.access("group->attach_handle->domain->mm", reads=(pasid_resource(Pasid(group.pasid)),))
        return self._handles.pop(group.numbers[-1])


FINDERS: dict[str, type[Iopf]] = {"worker": Iopf, "report": FindsAtReport}
