"""What every record of what happened has: a text for people, and what an oracle may depend on."""

from __future__ import annotations

from typing import Final

from ..bus import Resource


class Event:
    """What an actor did; renderers draw it in the lane of the actor whose step it was.

    A kind of event is a frozen dataclass that is derived from this class or from Arrow, and from nothing else.
    """

    __slots__ = ()

    @property
    def label(self) -> str:
        """The text on a ladder."""
        return self._label()

    @property
    def touches(self) -> tuple[Resource, ...]:
        """What the emitting step must have declared, as an oracle may depend on the order of events that touch it."""
        return self._touches()

    def _label(self) -> str:
        """The name of the kind, for one that has no more to say."""
        return type(self).__name__

    def _touches(self) -> tuple[Resource, ...]:
        """Nothing, if no oracle depends on when the event happened."""
        return ()


class Arrow(Event):
    """What an actor did to somebody else; renderers draw an arrow from its lane to the lane `target`."""

    __slots__ = ()

    target: str


BASES: Final = (Event, Arrow)
"""The classes that are no kind of event themselves, so that nobody can watch them."""
