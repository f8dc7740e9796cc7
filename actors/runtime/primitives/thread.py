"""A thread as locks, ports and queues know it: who it is, what it holds, and whether it may sleep."""

from __future__ import annotations

import sys
from typing import NoReturn

from .failures import failed
from .places import place_in
from .processor import Processor
from .stage import Stage
from .step import BrokenRule, MisuseError


class Thread:
    """Whoever takes a lock, or waits at a port."""

    __slots__ = ("_stage", "holds", "in_interrupt", "name", "number", "processor", "spinning")

    def __init__(self, stage: Stage, number: int, name: str) -> None:
        self._stage = stage
        self.number = number
        self.name = name
        self.holds: list[str] = []
        """What it has to give back before it ends, such as `lock m`, in the order in which it took them."""
        self.spinning: list[str] = []
        """What keeps it from sleeping, such as `holds spin lock m`."""
        self.processor: Processor | None = None
        """The processor that it shares with others; None if it has one of its own."""
        self.in_interrupt = False
        """in_interrupt(): whether it handles an interrupt, hard or soft."""

    @property
    def now(self) -> int:
        """The number of the step that is being performed: for messages, never for decisions."""
        return self._stage.index

    def acts(self, what: str) -> None:
        """Called before what is remembered of this thread, such as that it holds a lock: refused to another actor."""
        stage = self._stage
        if stage.current != self.number:
            other = stage.names[stage.current]
            self.refuse(MisuseError(f"{other} takes the step `{what}` of {self.name}'s cpu: each actor has its own"))

    def might_sleep(self, what: str) -> None:
        """Called before anything that can sleep: refused under a spin lock."""
        self.acts(what)
        if self.spinning:
            self.refuse(BrokenRule(f"{self.name} may sleep in `{what}` while it {self.spinning[-1]}"))

    def waits_spinning(self, what: str, sleeps: bool) -> None:
        """Called before it waits where it may not sleep; a busy wait is remembered, as who asks may object."""
        if sleeps:
            self.might_sleep(what)
        self._stage.busy_waits.append((self.name, what, self.spinning[-1]))

    def took(self, what: str, *, waited: bool = True) -> None:
        """It holds `what` from now on; if it would have waited for it, what it held before has to be taken first."""
        if waited and self.holds:
            order = self._stage.lock_order
            for before in self.holds:
                order.setdefault((before, what), self.name)
        self.holds.append(what)

    def returns(self, what: str) -> None:
        """Called when a function returns that must leave nothing behind: refused if it still holds a lock, is in a
        read-side section, or has interrupts off."""
        if self.holds:
            self.refuse(BrokenRule(f"{what} ends and {self.name} still holds {', '.join(self.holds)}"))

    def refuse(self, error: Exception) -> NoReturn:
        """Raise an error that counts also if the actor catches it: else the run would show what it does not."""
        if isinstance(error, MisuseError) and not error.where:
            error.where = place_in(sys._getframe(1))
        self._stage.tell(failed(self.name, self.name, error, self.now))
        try:
            raise error
        finally:
            del error  # it holds this frame, which would hold it and keep the world alive

    def waited_for(self, steps: int) -> None:
        """Say of the step that goes on that it could not have come before any of `steps`, a mask: all that changes what
        it waits for races with it, and what they found was not that."""
        if steps:
            self._stage.waited_for[self._stage.index] = steps
