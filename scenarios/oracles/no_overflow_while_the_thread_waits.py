"""The PRI queue does not overflow because somebody keeps its thread out (seed 000: "risking an overflow")."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.smmuv3.priq_inspection import ThreadKeptOut
from hw.events.link import PageRequestRefused

from .oracle import EventOracle


class NoOverflowWhileTheThreadWaits(EventOracle):
    """An overflow while nobody keeps the thread out is the queue's size, and no drain's fault."""

    watches = (ThreadKeptOut, PageRequestRefused)

    def __init__(self) -> None:
        self._kept = False

    def observe(self, event: ThreadKeptOut | PageRequestRefused) -> None:
        """Out, refused, in."""
        match event:
            case ThreadKeptOut(begins=begins):
                self._kept = begins
            case PageRequestRefused(why="overflow", pasid=pasid) if self._kept:
                raise Violation(
                    f"a page request of P{pasid} finds no room in the PRI queue, whose thread waits for a drain",
                    f"P{pasid}",
                )
            case _:
                pass
