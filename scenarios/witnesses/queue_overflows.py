"""The witness: the PRI queue refuses a page request."""

from __future__ import annotations

from typing import ClassVar

from hw.events.link import PageRequestRefused


class QueueOverflows:
    """Reached by the first refusal."""

    watches: ClassVar[tuple[type, ...]] = (PageRequestRefused,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: PageRequestRefused) -> None:
        """One is enough."""
        self.reached = True
