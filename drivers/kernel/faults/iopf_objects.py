"""The partial list: each request is an object until its group is answered or it is discarded (SMMU-R49)."""

from __future__ import annotations

from collections.abc import Sequence

from drivers.cpu import Cpu, Workqueue
from drivers.events.faults import PARTIAL

from ..memory.objects import Object
from ..memory.pasid import Pasids
from .iopf import FaultGroup, Iopf, PageFault, Respond


class TrackedIopf(Iopf):
    """As merged: a discarded request is unlinked and freed, one in a group is freed after the answer."""

    def __init__(self, pasids: Pasids, workqueue: Workqueue, respond: Respond, *, put_async: bool = True) -> None:
        super().__init__(pasids, workqueue, respond, put_async=put_async)
        self._objects: dict[int, Object] = {}

    def added(self, cpu: Cpu, number: int) -> None:
        """The request becomes an object, which the list protects."""
        request = Object(f"page request #{number}", PARTIAL)
        self._objects[number] = request
        request.born(cpu)

    def walked(self, cpu: Cpu) -> None:
        """list_for_each_entry touches every request on the list."""
        for number, _ in self._partial:
            self._objects[number].touched(cpu, "walk the partial list")

    def discard(self, cpu: Cpu, gone: Sequence[tuple[int, PageFault]]) -> None:
        """Unlink the requests, then free them."""
        self.unlink(gone)
        for number, _ in gone:
            self._objects[number].freed(cpu)

    def unlink(self, gone: Sequence[tuple[int, PageFault]]) -> None:
        """list_del takes the requests off the list."""
        self._partial = [item for item in self._partial if item not in gone]

    async def release(self, cpu: Cpu, group: FaultGroup) -> None:
        """iopf_free_group: all but the Last, which is part of the group itself."""
        for number in group.numbers[:-1]:
            request = self._objects[number]
            request.resource = ("object", request.name)  # it has left the list
            await request.free(cpu)


class ForgetsToUnlink(TrackedIopf):
    """BUG: frees the requests and leaves them on the list; the next group walks freed memory (v6, April 2020)."""

    def unlink(self, gone: Sequence[tuple[int, PageFault]]) -> None:
        """The requests stay on the list."""


class ForgetsToFree(TrackedIopf):
    """BUG: the requests of a group that was answered are never freed: each fault leaks (compare SMMU-R44)."""

    async def release(self, cpu: Cpu, group: FaultGroup) -> None:
        """The requests are not freed."""


DISCARD: dict[str, type[TrackedIopf]] = {
    "no-unlink": ForgetsToUnlink,
    "unlink": TrackedIopf,
    "no-free": ForgetsToFree,
}
