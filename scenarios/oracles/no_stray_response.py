"""No response reaches a request that it was not meant for (I4; seed 001's corrupted tags)."""

from __future__ import annotations

from typing import ClassVar

from actors.runtime.events import Violation
from drivers.events import Answered
from hw.events import PageRequestQueued, PageRequestSent, ResponseReceived, ResponseSent


class NoStrayResponse:
    """The device takes a response for the very group whose Last it answers.

    Followed by ordinals, as PRGIndex is reused: PPR on the link, PRIQ entry, command, response on the link.
    """

    watches: ClassVar[tuple[type, ...]] = (
        PageRequestSent,
        PageRequestQueued,
        Answered,
        ResponseSent,
        ResponseReceived,
    )

    def __init__(self) -> None:
        self._sent: dict[int, tuple[int, int]] = {}
        self._queued: dict[int, int] = {}
        self._commands: dict[int, int] = {}
        self._responses: dict[int, tuple[int, int]] = {}

    def observe(self, event: object) -> None:
        """Follow each request to the response that names it."""
        match event:
            case PageRequestSent(ordinal=ordinal, group=group, prgi=prgi):
                self._sent[ordinal] = (group, prgi)
            case PageRequestQueued(number=number, ordinal=ordinal):
                self._queued[number] = ordinal
            case Answered(command=command, number=number):
                self._commands[command] = self._queued[number]
            case ResponseSent(ordinal=ordinal, command=command, automatic_for=automatic):
                request = automatic if command < 0 else self._commands.get(command, -1)
                self._responses[ordinal] = self._sent.get(request, (-1, -1))
            case ResponseReceived(ordinal=ordinal, group=group, prgi=prgi):
                meant, _ = self._responses[ordinal]
                if group != meant:
                    raise Violation(
                        f"the response for g{prgi} was meant for {_name(meant)}, the device takes it for "
                        f"{_name(group)}",
                        f"g{prgi}",
                    )

    def at_quiescence(self) -> None:
        """Nothing more."""


def _name(group: int) -> str:
    return f"request {group}" if group >= 0 else "no request at all"
