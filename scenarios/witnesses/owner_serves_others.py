"""The witness: one CPU writes CMDQ_PROD for what another one has put into the queue."""

from __future__ import annotations

from drivers.events.cmdq import BatchPublished

from .witness import EventWitness


class OwnerServesOthers(EventWitness):
    """Reached when an owner publishes more than it reserved itself."""

    watches = (BatchPublished,)

    def observe(self, event: BatchPublished) -> None:
        """The owner has to publish more than its own commands."""
        self.reached = self.reached or event.total > event.own
