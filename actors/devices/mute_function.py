"""An endpoint that may hang: it goes on writing through its cache, and answers no invalidation any more (SMMU-R13)."""

from __future__ import annotations

from dataclasses import dataclass, field

from hw.pcie.tlp import InvalidateRequest

from ..iommus.invalidation_timer import IGNORED
from ..runtime.world import Cpu
from .streamer import Streamer


@dataclass(slots=True, kw_only=True)
class MuteFunction(Streamer):
    """At the first invalidation the function chooses whether it hangs."""

    ignored: list[int] = field(default_factory=list)
    """ITags of invalidations that will never be answered."""

    async def invalidate(self, cpu: Cpu, request: InvalidateRequest) -> None:
        """Answer as any function does, or keep what is cached and say nothing."""
        if not await cpu.choose("Invalidate Request: answer it, or hang", 2):
            await Streamer.invalidate(self, cpu, request)
            return
        await self.downstream.deliver("Invalidate Request is ignored", writes=self.world.mask(IGNORED))
        self.ignored.append(request.itag)
