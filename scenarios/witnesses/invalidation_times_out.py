"""The witness: the SMMU gives up waiting for the answer to an ATC_INV, and the command queue stops."""

from __future__ import annotations

from hw.events.commands import CommandQueueStopped

from .witness import EventWitness


class InvalidationTimesOut(EventWitness):
    """Reached by the CMD_SYNC that fails."""

    watches = (CommandQueueStopped,)

    def observe(self, event: CommandQueueStopped) -> None:
        """Only the error ATC_INV_SYNC counts."""
        self.reached = self.reached or event.error == "ATC_INV_SYNC"
