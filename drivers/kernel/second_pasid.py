"""Drains by what they cost another PASID of the function (seed 000): the queue's thread is kept out, or PRI is off."""

from __future__ import annotations

from typing import Protocol

from hw.bus import Pasid

from ..cpu import Cpu
from .endpoint import Endpoint
from .iommu import RequestQueue
from .memory.pasid import Bond
from .sva import StopPriAndWait, Sva


class Inspected(RequestQueue, Protocol):
    """A queue that can be looked into."""

    async def find(self, cpu: Cpu, pasid: Pasid) -> int | None:
        """Where the queue's consumer is, if an entry of a PASID is queued; the thread is kept out meanwhile."""
        ...

    async def taken(self, cpu: Cpu, before: int) -> None:
        """Wait until the thread has taken one since the consumer was there."""
        ...


class Inspects(Sva):
    """Looks at every entry, without taking any, until none is the PASID's; the thread works between two looks."""

    queue: Inspected

    async def drain(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        """Inspect, wait, again; then what the workers have."""
        while (before := await self.queue.find(cpu, bond.pasid)) is not None:
            await self.queue.taken(cpu, before)
        await self.iopf.discard_partial(cpu, bond.pasid)
        await self.iopf.flush(cpu)


class StopPriThenOn(StopPriAndWait):
    """The handshake, and PRI on again when the PASID is released."""

    def turns_on_with(self, endpoint: Endpoint) -> None:
        """Whose PRI Enable it is."""
        self._endpoint = endpoint

    async def _unbind(self, cpu: Cpu, bond: Bond, flags: int) -> None:
        await StopPriAndWait._unbind(self, cpu, bond, flags)
        await cpu.store(self._endpoint.pri_enable, 1, "device PRI Enable = 1")


DRAINS: dict[str, type[Sva]] = {
    "full": Sva,
    "inspect": Inspects,
    "pri-off": StopPriAndWait,
    "pri-off-on": StopPriThenOn,
}
