"""Every Last that software takes gets exactly one response, a Stop Marker none (smmuv3 I4; vtd-pcie I3)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.events import Answered
from hw.events import PageRequestQueued


class EveryLastIsAnsweredOnce:
    """One PRI_RESP for each queued Last, none for anything else."""

    watches: ClassVar[tuple[type, ...]] = (PageRequestQueued, Answered)

    def __init__(self) -> None:
        self._waiting: dict[int, bool] = {}

    def observe(self, event: PageRequestQueued | Answered) -> None:
        """A Last opens an account, its answer closes it."""
        match event:
            case PageRequestQueued(number=number, last=last, marker=marker):
                self._waiting[number] = last and not marker
            case Answered(number=number):
                if not self._waiting[number]:
                    raise Violation(
                        f"PRI_RESP for #{number}, which wants no response (now or any more): the device takes it for "
                        "an answer to something else",
                        "extra",
                    )
                self._waiting[number] = False

    def at_quiescence(self) -> None:
        """No account is left open."""
        left = [number for number, waiting in self._waiting.items() if waiting]
        if left:
            raise Violation(f"Last #{left[0]} was never answered: its credits never come back", "missing")
