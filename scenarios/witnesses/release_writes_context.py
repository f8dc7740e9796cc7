"""The witness: the mm's end reaches the driver while the binding is there, and its CD becomes the release CD."""

from __future__ import annotations

from typing import ClassVar

from drivers.events.binding import ContextQuieted


class ReleaseWritesContext:
    """Reached by the first release CD."""

    watches: ClassVar[tuple[type, ...]] = (ContextQuieted,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: ContextQuieted) -> None:
        """Any."""
        self.reached = True
