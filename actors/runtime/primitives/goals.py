"""Goals: what it is good to have seen some run do, and how far runs came on the way there.

A goal is a witness that a scenario does not insist on: if no run reaches a *witness* the experiment is vacuous; if none
reaches a goal that is news about the search. Goals listen to events, so they change no run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .events import Witness


class Part:
    """An event that is part of a goal: its type, and what must be true of it."""

    __slots__ = ("kind", "where")

    def __init__(self, kind: type, where: Callable[[Any], bool]) -> None:
        self.kind = kind
        self.where = where


def _always(_: Any) -> bool:
    return True


class InOrder:
    """Reached when events of these kinds came in this order, whatever came in between, but for one of `until`.

    An event of a type in `until` that is not the part waited for takes the run back to the first part. `met` is the
    most parts that were met.
    """

    __slots__ = ("_at", "_parts", "_until", "met", "name", "parts", "reached", "watches")

    def __init__(self, name: str, *parts: type | Part, until: tuple[type, ...] = ()) -> None:
        self.name = name
        self.reached = False
        self.met = 0
        self.parts = len(parts)
        self._parts = [part if isinstance(part, Part) else Part(part, _always) for part in parts]
        self._until = until
        self._at = 0
        self.watches = tuple(dict.fromkeys([*(part.kind for part in self._parts), *until]))

    def observe(self, event: Any) -> None:
        """One part further, back to the first, or neither."""
        if self.reached:
            return
        part = self._parts[self._at]
        if type(event) is part.kind and part.where(event):
            self._at += 1
            self.met = max(self.met, self._at)
            self.reached = self._at == self.parts
        elif type(event) in self._until:
            self._at = 0


def progress(goal: Witness) -> tuple[int, int]:
    """How many parts of a goal this run met, and how many it has; a goal that does not say has one."""
    parts = getattr(goal, "parts", 1)
    return (parts, parts) if goal.reached else (getattr(goal, "met", 0), parts)
