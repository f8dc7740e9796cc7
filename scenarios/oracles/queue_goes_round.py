"""The witness: the SMMU takes a command from a slot that it has taken one from before."""

from __future__ import annotations

from typing import ClassVar

from hw.command_events import CommandTaken


class QueueGoesRound:
    """Reached by the first command of the second lap."""

    watches: ClassVar[tuple[type, ...]] = (CommandTaken,)

    def __init__(self, entries: int) -> None:
        self.reached = False
        self._entries = entries

    def observe(self, event: CommandTaken) -> None:
        """Commands are numbered from 0."""
        self.reached = self.reached or event.number >= self._entries
