"""The tail of a run, in which everybody goes in turn, and the lasso that tells a livelock from a run that is long.

In the tail nothing is chosen. Of those who can go, the one goes that has waited longest, so nobody who can go again and
again is passed over for ever; a choice of hardware takes each of its outcomes in turn. If the whole state of the world
comes back, together with whose turn it is, the run never ends though it is fair to everybody: a livelock.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..primitives.events import Finding, Outcome
from .endings import waits
from .fingerprint import fingerprint
from .record import Record

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

    def finding(self, record: Record) -> Finding:
        """The livelock: who never finishes, and which steps come again and again."""
        world = record.world
        parts: dict[int, list[str]] = {}
        for index in range(self.start, self.start + self.length):
            parts.setdefault(record.actors[index], []).append(record.steps[index].what)
        told = []
        for number in sorted(parts):
            more = ", …" if len(parts[number]) > _SHOWN else ""
            told.append(f"{world.actors[number].name}: {', '.join(parts[number][:_SHOWN])}{more}")
        told += [waits(record, number) for number in record.live if number not in parts]
        unfinished = tuple(sorted(world.actors[number].name for number in _unfinished(record)))
        never = "never finishes" if len(unfinished) == 1 else "never finish"
        same = "step" if self.length == 1 else f"{self.length} steps"
        return Finding(
            outcome=Outcome.LIVELOCK,
            oracle="no-livelock",
            message=f"{' and '.join(unfinished)} {never}, though everybody goes in turn: from step {self.start} on the "
            f"same {same} again and again ({'; '.join(told)})",
            step=self.start,
            objects=unfinished,
        )


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
        if self._looks >= _MOST_LOOKS or not (_unfinished(record) and index >= self._begun + _FIRST_MARK):
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
        return [(number, getattr(record.pending[number], "what", "")) for number in self._order]

    def _state(self, record: Record) -> object:
        """The whole state; it equals no other one if the world cannot be looked into."""
        self._looks += 1
        state = fingerprint(record.world)
        if state is None:
            self._looks = _MOST_LOOKS
            return None
        return state, self._order.copy(), list(self._outcomes.items())

    def _loop(self, record: Record) -> Loop:
        """The loop from its first visible round on: the mark may have been set long after it was entered."""
        start, length = self._marked, self._length
        while start > self._begun and _same(record, start - 1, length):
            start -= 1
        return Loop(start, length)


def _unfinished(record: Record) -> list[int]:
    """Who must come to an end: daemons need not, so they may go round when all others have."""
    return [number for number in record.live if not record.world.actors[number].daemon]


def _same_rounds(record: Record, start: int, length: int) -> bool:
    return all(_same(record, index, length) for index in range(start, start + (_ROUNDS - 1) * length))


def _same(record: Record, index: int, length: int) -> bool:
    """Whether the same step was taken `length` later."""
    one, other = (
        (record.actors[place], record.steps[place].what, record.outcomes[place]) for place in (index, index + length)
    )
    return one == other
