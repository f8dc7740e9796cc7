"""Once an unbind has cleared a CD, nobody makes it valid again for that binding (smmuv3 I7; §3.5, §3.6)."""

from __future__ import annotations

from actors.runtime.primitives.events import Violation
from drivers.events.binding import ContextQuieted, ContextWritten

from .oracle import EventOracle


class ClearedContextStaysClear(EventOracle):
    """The writes go to the same word, so their order is always observed. A release CD is valid, if without a table."""

    watches = (ContextWritten, ContextQuieted)

    def __init__(self) -> None:
        self._cleared: set[int] = set()

    def observe(self, event: ContextWritten | ContextQuieted) -> None:
        """A binding is cleared once, and its number is never used again."""
        match event:
            case ContextWritten(valid=False, binding=binding):
                self._cleared.add(binding)
            case ContextQuieted(pasid=pasid, binding=binding) if binding in self._cleared:
                raise Violation(
                    f"mm release makes CD[{pasid}] valid again for bind{binding}, which unbind has cleared: the PASID "
                    "stays programmed when its binding is over",
                    f"P{pasid}",
                )
