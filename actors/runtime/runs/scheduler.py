"""Schedulers: they decide, where there is more than one option, and what they decided is the schedule of the run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import floor
from typing import Protocol

from .record import Record
from .schedule import AGAIN, FAIR, Schedule


class Scheduler(Protocol):
    """Decides. It is asked only where there is more than one option, and knows nothing of IOMMUs."""

    def start(self, record: Record) -> None:
        """A run begins; `record` shows the pending step of each actor, and may be read, never changed."""
        ...

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """One of `options`: actor numbers, or if `outcome` the indices of what hardware can do.

        FAIR instead of an actor ends the scheduler's part of the run. So does AGAIN, the second time; the first time
        the actor is asked for behind it.
        """
        ...

    def finish(self) -> None:
        """The run is over."""
        ...


class Fifo:
    """The plain order: an actor runs until it cannot, then the next one in turn; outcomes are the plain ones."""

    def __init__(self) -> None:
        self._last = 0

    def start(self, record: Record) -> None:
        """Begin with the first actor."""
        self._last = 0

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Stay with the actor that acts, else take the next one round."""
        if outcome:
            return options[0]
        later = [option for option in options if option >= self._last]
        self._last = later[0] if later else options[0]
        return self._last

    def finish(self) -> None:
        """Keep nothing of the run."""


class RandomWalk:
    """Uniform over what is offered, from one stream of random bits: run *n* of a seed is always the same run."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed).random

    def start(self, record: Record) -> None:
        """Prepare nothing."""

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Any option, each as likely."""
        return options[floor(self._draw() * len(options))]

    def finish(self) -> None:
        """Keep nothing of the run."""


class ScheduleMismatch(Exception):
    """A recorded schedule asks for what is not offered: scenario or code differ from when it was recorded."""


class Replay:
    """Takes the recorded choices; `ScheduleMismatch` when one is not offered or the recording ends too early."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._next = 0
        self._record: Record | None = None

    def start(self, record: Record) -> None:
        """Begin at the first choice."""
        self._next = 0
        self._record = record

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The recorded choice."""
        assert self._record is not None
        step = self._record.index
        kind = "outcome" if outcome else "actor"
        if self._next >= len(self._schedule):
            raise ScheduleMismatch(
                f"replay step {step}: the recording ends after {len(self._schedule)} choices, but {kind} "
                f"{self._describe(options, outcome)} is still to be chosen"
            )
        wanted = self._schedule[self._next]
        self._next += 1
        if wanted not in options and (outcome or wanted not in (AGAIN, FAIR)):
            raise ScheduleMismatch(
                f"replay step {step}: choice {self._next} of {len(self._schedule)} takes {kind} {wanted}, offered now "
                f"{self._describe(options, outcome)}; the scenario, its parameters or the code changed since"
            )
        return wanted

    def finish(self) -> None:
        """`ScheduleMismatch` if choices are left over."""
        if self._next < len(self._schedule):
            raise ScheduleMismatch(
                f"replay: the run ended after {self._next} choices, the recording has {len(self._schedule)}"
            )

    def _describe(self, options: Sequence[int], outcome: bool) -> str:
        assert self._record is not None
        if outcome:
            return str(list(options))
        return ", ".join(f"{option} ({self._record.world.actors[option].name})" for option in options)
