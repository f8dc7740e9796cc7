"""What all of them have: a name, resources of their own, and a state that tells how they go on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import ClassVar

from ..world import MAX_ACTORS, World


class Stateful(ABC):
    """An object whose state says how it goes on, so that a run which comes back to an earlier state is recognised as a
    livelock."""

    @abstractmethod
    def state(self) -> tuple[object, ...]:
        """All that decides how it goes on, without counters that only grow."""


class Primitive(Stateful):
    """Something that actors synchronise with; a world may have several of one name, which get numbers."""

    space: ClassVar[str]
    """What its resources begin with."""

    def __init__(self, world: World, name: str) -> None:
        world.refuse_late(type(self).__name__, name)
        self._session = world.session
        self.name = world.session.name(self.space, name)

    def _mask(self, *what: Hashable) -> int:
        """The mask of one of its resources."""
        return self._session.resources.mask((self.space, self.name, *what))

    def _of_each(self, what: str) -> int:
        """The mask of a resource that each actor has one of: who writes his own, and who reads all, race only with each
        other."""
        mask = 0
        for number in range(MAX_ACTORS):
            mask |= self._mask(what, number)
        return mask
