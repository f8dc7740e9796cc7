"""The CD or PASID entry of a binding is made invalid by its own unbind only (SMMU-R38, VTD-R12): another's would cut
a live device off."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import ContextQuieted, ContextWritten

from .oracle import EventOracle


class NoForeignTeardown(EventOracle):
    """The writes go to the same word, so their order is always observed."""

    watches = (ContextWritten, ContextQuieted)

    def __init__(self) -> None:
        self._owner: dict[int, int] = {}

    def observe(self, event: ContextWritten | ContextQuieted) -> None:
        """Remember whose it is."""
        owner = self._owner.get(event.pasid, event.binding)
        if isinstance(event, ContextWritten) and event.valid:
            self._owner[event.pasid] = event.binding
        elif owner != event.binding:
            end = "unbind" if isinstance(event, ContextWritten) else "mm release"
            entry = "CD" if event.target == "smmu" else "PASID entry"
            raise Violation(
                f"{end} of bind{event.binding} clears the {entry} of P{event.pasid}, which is bind{owner}'s by now",
                f"P{event.pasid}",
            )
