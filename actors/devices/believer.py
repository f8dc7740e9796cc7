"""A device that said it stopped and still takes the answer to its old page request for a page of its own."""

from __future__ import annotations

from hw.events.link import DEVICE_PRI
from hw.pcie.pri import Reaction

from ..runtime.world import Cpu
from .device import MarkerDevice


class Believer(MarkerDevice):
    """BUG: does not mark its requests stale; on Success it goes on with the work that it has given up."""

    async def settle(self, cpu: Cpu) -> None:
        """Nothing is marked."""

    async def after_report(self, cpu: Cpu) -> None:
        """The marker; then what the answers say."""
        await MarkerDevice.after_report(self, cpu)
        for job in self.jobs:
            if not job.tries:
                continue
            await cpu.wait(
                "the answer to an old request",
                lambda job=job: job.reaction is not None or not job.open,  # type: ignore[misc]
                reads=(DEVICE_PRI,),
            )
            if job.reaction is Reaction.RETRY:
                await self.access(cpu, job)
