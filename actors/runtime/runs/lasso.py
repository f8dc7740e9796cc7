"""The tail of a run, in which nothing is chosen, and the lasso that tells a livelock from a run that is long.

Either everybody goes in turn: of those who can go, the one goes that has waited longest, so nobody who can go again and
again is passed over for ever; a choice of hardware takes each of its outcomes in turn. If the whole state of the world
comes back, together with whose turn it is, the run never ends though it is fair to everybody: a livelock.

Or what was chosen is done again and again. That is a livelock if the whole state comes back each time, and if that is
fair: who can go somewhere in it goes, and what hardware chooses in it comes with each of its outcomes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ..primitives.events import Finding, Outcome
from .endings import waits
from .fingerprint import Fingerprint, fingerprint
from .record import Record
from .scheduler import ScheduleMismatch

FAIR_STEPS = 1_000
"""How far beyond its bound a run is followed in the tail."""
_FIRST_MARK = 64
"""Steps of the tail before a state is remembered for the first time; the next ones follow after twice as many each."""
_MOST_LOOKS = 40
"""States of one tail that are written down: each costs as much as thousands of steps."""
_ROUNDS = 3
"""How often the state must come back, each time after the same steps."""
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Loop:
    """The steps from `start` on repeat for ever, `length` of them each time."""

    start: int
    length: int
    how: str = "though everybody goes in turn"

    def finding(self, record: Record) -> Finding:
        """The livelock: who never finishes, and which steps come again and again.

        It is told of whom it was asked for, if there is somebody.
        """
        world = record.world
        parts: dict[int, list[str]] = {}
        for index in range(self.start, self.start + self.length):
            parts.setdefault(record.actors[index], []).append(record.steps[index].what)
        told = []
        for number in sorted(parts):
            more = ", …" if len(parts[number]) > _SHOWN else ""
            told.append(f"{world.actors[number].name}: {', '.join(parts[number][:_SHOWN])}{more}")
        told += [waits(record, number) for number in record.live if number not in parts]
        unfinished = sorted(world.actors[number].name for number in unfinished_of(record))
        starving = [name for name in unfinished if name in world.must_finish]
        names = tuple(starving or unfinished)
        never = "never finishes" if len(names) == 1 else "never finish"
        same = "step" if self.length == 1 else f"{self.length} steps"
        return Finding(
            outcome=Outcome.LIVELOCK,
            oracle="finishes" if starving else "no-livelock",
            message=f"{' and '.join(names)} {never}, {self.how}: from step {self.start} on the "
            f"same {same} again and again ({'; '.join(told)})",
            step=self.start,
            objects=names,
        )


class Again:
    """What was chosen since the mark, done again and again; it begins with the mark and ends with a loop."""

    def __init__(self, record: Record) -> None:
        self._start = record.index
        self._mark = _looked_into(record)
        self._length = 0

    def close(self, record: Record) -> None:
        """The circle is whole."""
        self._length = record.index - self._start
        if not self._length:
            raise _no_circle(record, "nothing is done in it")
        if not unfinished_of(record):
            raise _no_circle(record, "everybody is done")

    def turn(self, record: Record, offered: tuple[int, ...]) -> tuple[int, int]:
        """Who goes, and the outcome of its step."""
        place = record.index - self._length
        actor, outcome = record.actors[place], record.outcomes[place]
        step = record.pending[actor]
        if actor not in offered or step is None or offered != record.offers[place] or outcome >= max(step.options, 1):
            raise _no_circle(record, "it cannot be done again")
        return actor, outcome

    def look(self, record: Record) -> Loop | None:
        """The loop, once the state has come back after each of some rounds; ScheduleMismatch if it has not."""
        done = record.index - self._start
        if done % self._length:
            return None
        if _looked_into(record) != self._mark:
            raise _no_circle(record, "the state does not come back")
        if done <= _ROUNDS * self._length:
            return None
        if why := _unfair(record, self._start, self._length):
            raise _no_circle(record, why)
        return Loop(self._start, self._length, "though everybody who can go again and again goes")


class Tail:
    """Whose turn it is, which outcome comes next, and the state that is waited for to come back."""

    def __init__(self, record: Record) -> None:
        self._begun = record.index
        self._order = sorted(record.live, key=record.since)  # who went longest ago first
        self._outcomes: dict[tuple[int, str], int] = {}  # of each choice of hardware the one that comes next
        self._next_mark = self._begun + _FIRST_MARK
        self._mark: object = None
        self._marked = 0
        self._glimpse: object = None
        self._returns = 0
        self._length = 0
        self._looks = 0

    def turn(self, record: Record, offered: tuple[int, ...]) -> tuple[int, int]:
        """Who goes, and the outcome of its step."""
        order = self._order
        order += [number for number in record.live if number not in order]
        actor = next(number for number in order if number in offered)
        order.remove(actor)
        order.append(actor)
        step = record.pending[actor]
        assert step is not None
        if step.options < 2:
            return actor, 0
        outcome = self._outcomes.get((actor, step.what), 0) % step.options
        self._outcomes[actor, step.what] = outcome + 1
        return actor, outcome

    def look(self, record: Record) -> Loop | None:
        """The loop that the run is in, once it has come back to the marked state `_ROUNDS` times in the same steps."""
        index = record.index
        if self._looks >= _MOST_LOOKS or not (unfinished_of(record) and index >= self._begun + _FIRST_MARK):
            return None
        glimpse = self._glance(record)
        if glimpse == self._glimpse and self._is_due(index) and self._state(record) == self._mark:
            self._length = self._length or index - self._marked
            self._returns += 1
            if self._returns == _ROUNDS and _same_rounds(record, self._marked, self._length):
                return self._loop(record)
        elif index >= self._next_mark:
            self._next_mark = self._begun + 2 * (index - self._begun)
            self._mark, self._marked, self._glimpse = self._state(record), index, glimpse
            self._returns = self._length = 0
        return None

    def _is_due(self, index: int) -> bool:
        """Having come back once, the run must come back after as many steps again."""
        return not self._length or index == self._marked + (self._returns + 1) * self._length

    def _glance(self, record: Record) -> object:
        """A part of the state that costs little: what everybody is about to do, and whose turn it is."""
        return [(number, unnumbered(getattr(record.pending[number], "what", ""))) for number in self._order]

    def _state(self, record: Record) -> object:
        """The whole state; it equals no other one if the world cannot be looked into."""
        self._looks += 1
        state = fingerprint(record.world, record.pending)
        if state is None:
            self._looks = _MOST_LOOKS
            return None
        return state, self._order.copy(), list(self._outcomes.items())

    def _loop(self, record: Record) -> Loop:
        """The loop from its first visible round on: the mark may have been set long after it was entered, and the tail
        may have begun long after."""
        start, length = self._marked, self._length
        while start and _same(record, start - 1, length):
            start -= 1
        return Loop(start, length)


def unfinished_of(record: Record) -> list[int]:
    """Who must come to an end: daemons need not, so they may go round when all others have."""
    return [number for number in record.live if not record.world.actors[number].daemon]


def _same_rounds(record: Record, start: int, length: int) -> bool:
    return all(_same(record, index, length) for index in range(start, start + (_ROUNDS - 1) * length))


def _same(record: Record, index: int, length: int) -> bool:
    """Whether the same step was taken `length` later."""
    one, other = (
        (record.actors[place], unnumbered(record.steps[place].what), record.outcomes[place])
        for place in (index, index + length)
    )
    return one == other


@cache
def unnumbered(what: str) -> str:
    """What a step is, but for its numbers: those may be names, and whether they matter the state tells."""
    return re.sub(r"\d+", "#", what)


def _looked_into(record: Record) -> Fingerprint:
    state = fingerprint(record.world, record.pending)
    if state is None:
        raise _no_circle(record, "its state cannot be looked into")
    return state


def _unfair(record: Record, start: int, length: int) -> str:
    """Who could go in a circle and does not, or what hardware never chooses in it; empty if it is fair."""
    rounds = range(start, start + length)
    goes = {record.actors[index] for index in rounds}
    for index in rounds:
        for number in record.offers[index]:
            if number not in goes:
                return f"{record.world.actors[number].name} could go in it and never does"
    seen: dict[tuple[int, str], set[int]] = {}
    for index in rounds:
        seen.setdefault((record.actors[index], record.steps[index].what), set()).add(record.outcomes[index])
    for index in rounds:
        what = record.steps[index].what
        if len(seen[record.actors[index], what]) < record.steps[index].options:
            return f"`{what}` has an outcome that never comes in it"
    return ""


def _no_circle(record: Record, why: str) -> ScheduleMismatch:
    return ScheduleMismatch(f"step {record.index}: what is to be done again and again is no circle: {why}")
