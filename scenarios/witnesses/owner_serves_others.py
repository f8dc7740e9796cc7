"""The witness: one CPU writes CMDQ_PROD for what another one has put into the queue."""

from __future__ import annotations

from typing import ClassVar

from drivers.events.cmdq import BatchPublished


class OwnerServesOthers:
    """Reached when an owner publishes more than it reserved itself."""

    watches: ClassVar[tuple[type, ...]] = (BatchPublished,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: BatchPublished) -> None:
        """More than its own."""
        self.reached = self.reached or event.total > event.own
