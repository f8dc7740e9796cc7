"""Which page request a response is for, followed by ordinals as PRGIndex is reused: PPR, PRIQ entry, command, response.

No property of its own: what oracles about responses have in common."""

from __future__ import annotations

from drivers.events.binding import Answered
from hw.events.link import PageRequestQueued, PageRequestSent, ResponseSent

TRAIL = (PageRequestSent, PageRequestQueued, Answered, ResponseSent)


class ResponseTrail:
    """From the request on the link to the response on the link."""

    def __init__(self) -> None:
        self._sent: dict[int, int] = {}
        self._queued: dict[int, int] = {}
        self._commands: dict[int, int] = {}
        self._responses: dict[int, int] = {}

    def follow(self, event: object) -> None:
        """Go one step further along the trail."""
        match event:
            case PageRequestSent(ordinal=ordinal, group=group):
                self._sent[ordinal] = group
            case PageRequestQueued(number=number, ordinal=ordinal):
                self._queued[number] = ordinal
            case Answered(command=command, number=number):
                self._commands[command] = self._queued[number]
            case ResponseSent(ordinal=ordinal, command=command, automatic_for=automatic):
                request = automatic if command < 0 else self._commands.get(command, -1)
                self._responses[ordinal] = self._sent.get(request, -1)

    def meant(self, ordinal: int) -> int:
        """The request that the response of this ordinal answers, -1 for none."""
        return self._responses[ordinal]
