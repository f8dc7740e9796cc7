"""No address space gets a page, and says so with a Success, because of a request that was meant for another one
(smmuv3 §4.1; seed 000)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import Answered, FaultResolved
from hw.events.link import PageRequestQueued
from hw.smmuv3.commands import PriResp

from .oracle import EventOracle


class NoPageForAStranger(EventOracle):
    """What a misdirected fault leaves behind in the process that it comes to."""

    watches = (PageRequestQueued, FaultResolved, Answered)

    def __init__(self) -> None:
        self._accepted: dict[int, int] = {}
        self._strangers: dict[int, str] = {}

    def observe(self, event: PageRequestQueued | FaultResolved | Answered) -> None:
        """Queued under one binding, resolved for another, answered with Success."""
        match event:
            case PageRequestQueued(number=number, binding=binding):
                self._accepted[number] = binding
            case FaultResolved(number=number, binding=binding, mm=mm) if binding not in (0, self._accepted[number]):
                self._strangers[number] = mm
            case Answered(number=number, code=PriResp.SUCCESS) if number in self._strangers:
                raise Violation(
                    f"{self._strangers[number]} has a page now because of request #{number}, which the device of "
                    f"bind{self._accepted[number]} made; and that device hears Success",
                    self._strangers[number],
                )
            case _:
                pass
