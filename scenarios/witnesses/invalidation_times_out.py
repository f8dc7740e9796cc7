"""The witness: the SMMU gives up waiting for the answer to an ATC_INV, and the command queue stops."""

from __future__ import annotations

from typing import ClassVar

from hw.events.commands import CommandQueueStopped


class InvalidationTimesOut:
    """Reached by the CMD_SYNC that fails."""

    watches: ClassVar[tuple[type, ...]] = (CommandQueueStopped,)

    def __init__(self) -> None:
        self.reached = False

    def observe(self, event: CommandQueueStopped) -> None:
        """No other error counts."""
        self.reached = self.reached or event.error == "ATC_INV_SYNC"
