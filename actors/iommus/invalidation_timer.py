"""How an IOMMU gives up on a device: what becomes of an invalidation that is never answered.

SMMUv3: the next CMD_SYNC fails, and the queue stops (smmuv3 §1.5). VT-d: ITE, and every wait that was fetched is
aborted (vtd-pcie §2.4).
"""

from __future__ import annotations

from typing import Protocol

from hw.bus import Resource, StreamId
from hw.pcie.events import InvalidationTimedOut

from ..runtime.world import Cpu, World

IGNORED: Resource = ("device", "ignored invalidations")


class TimesOut(Protocol):
    """An IOMMU that sends invalidations."""

    world: World

    async def time_out(self, cpu: Cpu, sid: StreamId, itag: int) -> int:
        """Give one up; the number of the command or descriptor."""
        ...


class Unanswering(Protocol):
    """A function that leaves invalidations unanswered."""

    sid: StreamId
    host: str
    """The lane of its IOMMU, on a ladder."""
    ignored: list[int]
    """ITags, oldest first."""


def add_invalidation_timer(units: TimesOut, device: Unanswering) -> None:
    """A daemon that ends an invalidation which the device will never answer."""

    async def timer(cpu: Cpu) -> None:
        while True:
            await cpu.wait("an overdue Invalidate Request", lambda: bool(device.ignored), writes=(IGNORED,), idle=True)
            number = await units.time_out(cpu, device.sid, device.ignored.pop(0))
            cpu.emit(InvalidationTimedOut(command=number))

    units.world.add_actor(f"{device.host}.timer", timer, daemon=True, hardware=True)
