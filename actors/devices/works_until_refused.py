"""A device that cannot halt its DMA on its own: it works until a page is refused, and only then is it idle."""

from __future__ import annotations

from dataclasses import dataclass

from hw.pcie.events import AccessOutcome

from ..runtime.world import Cpu
from .ats_loop import AtsLoop
from .device import ATC


@dataclass(slots=True, kw_only=True)
class WorksUntilRefused(AtsLoop):
    """It would write to one page for ever. `writes` of these writes are made; further ones would show nothing new."""

    retries: int = 9
    writes: int = 1

    async def engine(self, cpu: Cpu) -> None:
        """Write; behind the last one, go on only when the page has left the ATC, as the next write would notice."""
        (job,) = self.jobs
        written, outcome = 0, None
        while outcome in (None, AccessOutcome.WRITTEN):
            if written == self.writes:
                await cpu.wait(
                    "the page has left the ATC",
                    lambda: self.atc.lookup(self.pasid, job.pages[0]) is None,
                    reads=(ATC,),
                    idle=True,
                )
            outcome = await self.attempt(cpu, job)
            written += outcome is AccessOutcome.WRITTEN and written < self.writes
        await self.upstream.flush(cpu)
        await self.report(cpu)
