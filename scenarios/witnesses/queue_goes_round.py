"""The witness: more goes through a queue than it has room for at once, so that slots had to become free."""

from __future__ import annotations

from hw.events.commands import CommandTaken
from hw.events.link import PageRequestQueued

from .witness import EventWitness


class QueueGoesRound(EventWitness):
    """Reached by the first command that is taken, or page request that is queued, beyond the first `room`."""

    def __init__(self, room: int, kind: type[CommandTaken | PageRequestQueued] = CommandTaken) -> None:
        self.watches = (kind,)
        self._room = room

    def observe(self, event: CommandTaken | PageRequestQueued) -> None:
        """Both are numbered from 0."""
        self.reached = self.reached or event.number >= self._room
