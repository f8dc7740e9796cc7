"""A function that can be pulled out, or reset, while the host talks to it: what reaches it then is not answered."""

from __future__ import annotations

from dataclasses import dataclass, field

import drivers.cpu
from hw.bus import PhysAddr, Resource
from hw.pcie.events import DeviceLost
from hw.pcie.tlp import InvalidateRequest

from ..iommus.invalidation_timer import IGNORED
from ..runtime.world import Cpu
from .device import ATC
from .streamer import Streamer

PRESENT: Resource = ("device", "present")
"""Whether the function answers at all."""


@dataclass(slots=True, kw_only=True)
class Slot:
    """Where a function is plugged in, as software sees it."""

    disconnected: PhysAddr
    """The host's own note that the link is down."""
    present: bool = True

    async def is_present(self, cpu: drivers.cpu.Cpu) -> bool:
        """A read of the Vendor ID gives all ones where nothing is."""
        await cpu.access("read Vendor ID", reads=(PRESENT,))
        return self.present


@dataclass(slots=True, kw_only=True)
class RemovableFunction(Streamer):
    """It loses its link, or it is reset and forgets its state."""

    slot: Slot
    lost: bool = False
    """It is gone, or in reset, as far as its ATC knows."""
    ignored: list[int] = field(default_factory=list)
    """ITags of invalidations that will never be answered."""

    async def lose(self, cpu: Cpu) -> None:
        """The link goes down, or a reset begins: both empty the ATC, with no Invalidate Completion (vtd-pcie §1.3)."""
        await cpu.access("the device loses its ATC", writes=(ATC,))
        self.lost = True
        self.atc.flush()
        await cpu.access("the device is gone", writes=(PRESENT,))
        self.slot.present = False
        cpu.emit(DeviceLost())

    async def come_back(self, cpu: Cpu) -> None:
        """The reset is over, and its driver has it work again."""
        await cpu.access("the device is back", writes=(PRESENT, ATC))
        self.slot.present, self.lost = True, False

    def works(self) -> bool:
        """Not while it is gone."""
        return not self.lost

    async def acknowledge(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """If there is somebody who could."""
        await cpu.access("anybody there?", reads=(PRESENT,))
        if self.slot.present:
            await super(RemovableFunction, self).acknowledge(cpu, request)
            return
        await cpu.access("Invalidate Request is lost", writes=(IGNORED,))
        self.ignored.append(request.itag)
