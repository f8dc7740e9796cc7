"""The CD of a binding is made invalid by its own unbind only (R38): another's would cut a live device off."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.events import ContextWritten


class NoForeignTeardown:
    """Both writes go to the same word, so their order is always observed."""

    watches: ClassVar[tuple[type, ...]] = (ContextWritten,)

    def __init__(self) -> None:
        self._owner: dict[int, int] = {}

    def observe(self, event: ContextWritten) -> None:
        """Remember whose it is."""
        owner = self._owner.get(event.pasid, event.binding)
        if event.valid:
            self._owner[event.pasid] = event.binding
        elif owner != event.binding:
            raise Violation(
                f"unbind of bind{event.binding} clears the CD of P{event.pasid}, which is bind{owner}'s by now",
                f"P{event.pasid}",
            )

    def at_quiescence(self) -> None:
        """Nothing more."""
