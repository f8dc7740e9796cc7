"""Every Last gets exactly one response, from software or, if it is not queued, from hardware; a Stop Marker that
software takes gets none (smmuv3 I4; vtd-pcie I3, §1.4)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import Answered
from hw.events.link import PageRequestQueued, PageRequestRefused

from .oracle import EventOracle


class EveryLastIsAnsweredOnce(EventOracle):
    """One response for each queued Last, none for anything else; an automatic one for each Last that is not queued."""

    watches = (PageRequestQueued, PageRequestRefused, Answered)

    def __init__(self) -> None:
        self._waiting: dict[int, bool] = {}

    def observe(self, event: PageRequestQueued | PageRequestRefused | Answered) -> None:
        """A queued Last opens an account, its answer closes it; hardware settles at once."""
        match event:
            case PageRequestQueued(number=number, last=last, marker=marker):
                self._waiting[number] = last and not marker
            case PageRequestRefused(prgi=prgi, last=True, marker=False, code=-1):
                raise Violation(
                    f"hardware loses the Last of g{prgi} ({event.why}) and does not answer it: nobody else knows of it",
                    "lost",
                )
            case Answered(number=number, response=response):
                if not self._waiting[number]:
                    raise Violation(
                        f"{response} for #{number}, which wants no response (now or any more): the device takes it for "
                        "an answer to something else",
                        "extra",
                    )
                self._waiting[number] = False

    def at_quiescence(self) -> None:
        """No account is left open."""
        left = [number for number, waiting in self._waiting.items() if waiting]
        if left:
            raise Violation(f"Last #{left[0]} was never answered: its credits never come back", "missing")
