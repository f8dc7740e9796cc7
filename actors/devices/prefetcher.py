"""An endpoint that asks for its pages ahead of time, one group after the other, and does not stop."""

from __future__ import annotations

from hw.events.link import DEVICE_PRI
from hw.pcie.pri import TagForgettingPri
from hw.pcie.tlp import InvalidateRequest

from ..runtime.world import Cpu
from .device import ATC, Device, LeakyDevice, MarkerDevice
from .job import Job


class Prefetcher(Device):
    """A Success ends the job: what the device does with the pages is not modelled."""

    async def engine(self, cpu: Cpu) -> None:
        """Each group waits for the answer of the one before it, and so gets the same PRGIndex."""
        for job in self.jobs:
            await self.request(cpu, job)
            await self.complete(cpu, job)

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """The device does nothing with the page."""
        return True


class ForgetsTagsOnFlush(Prefetcher):
    """BUG: it takes an ATC flush for a reset of its tags, but neither a flush nor a change of translation invalidates
    them."""

    async def invalidate(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """The groups that are open are forgotten, and the first tag is the next one."""
        await cpu.access("forget the tags", writes=(DEVICE_PRI, ATC))
        assert isinstance(self.pri, TagForgettingPri)
        for prgi in self.pri.forget():
            self.by_prgi.pop(prgi).open = False
        await Prefetcher.invalidate(self, cpu, request)


class StoppablePrefetcher(MarkerDevice):
    """A prefetcher that stops in style B, so that answers may come when nobody waits for them any more."""

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """The device does nothing with the page."""
        return True


class SilentPrefetcher(StoppablePrefetcher):
    """It neither waits for its answers nor sends a Stop Marker, which Linux does not use on VT-d."""

    async def after_report(self, cpu: Cpu) -> None:
        """Nothing follows the report."""


class LeakyPrefetcher(StoppablePrefetcher, LeakyDevice):
    """BUG: it stops in style B, and an answer that comes after the stop gives no credits back."""


class WaitingPrefetcher(Device):
    """A prefetcher that stops in style A: it waits for every answer."""

    async def access(self, cpu: Cpu, job: Job) -> bool:
        """The device does nothing with the page."""
        return True
