"""Data races: two accesses to one byte that can be made at the same time, one of them a store, one of them plain.

They are found in the order that a run had, not by chance: two accesses of two actors, of which nothing but themselves
says which is first. A search that sees every class of runs sees each such pair in some run. What counts is what KCSAN
of Linux reports: by default an aligned plain store of up to a word passes for one that is marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..primitives.step import ByteAccess, Mark, Step
from .record import Record

_GRANULE = 8
_WORD = 8
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DataRace:
    """Two accesses that race, in the order of their texts: one pair of places is one race."""

    name: str
    first: ByteAccess
    second: ByteAccess

    @property
    def key(self) -> Key:
        """What is equal for the same race in every run and process."""
        return self.first.said, self.second.said

    @property
    def said(self) -> str:
        """How people should read it."""
        return f"{self.name}: {self.first.said} and {self.second.said}"


def may_race(one: ByteAccess, other: ByteAccess, mode: str) -> bool:
    """Whether two accesses, if nothing orders them, are a data race under a mode."""
    if one.start + one.size <= other.start or other.start + other.size <= one.start:
        return False
    if not (one.writes or other.writes) or Mark.EXEMPT in (one.mark, other.mark):
        return False
    return any(each.mark is not Mark.MARKED and (mode == "strict" or not _passes(each)) for each in (one, other))


def _passes(access: ByteAccess) -> bool:
    """Whether it counts as atomic though it is plain."""
    is_whole = access.mark is Mark.PLAIN and access.size <= _WORD and access.start % access.size == 0
    return access.writes and is_whole


class DataRaces:
    """Looks for data races in the runs of one session; each pair of places is told of once.

    `mode` is "default", "strict" (each plain access counts) or "ignore" (none does).
    """

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self._told = set[Key]()
        self._partners: dict[Step, set[Step]] = {}
        """Of each step what it races with if nothing orders them and nobody was told."""
        self._there: dict[int, list[Step]] = {}
        """Of each few bytes the steps that access some of them."""

    def is_any(self, record: Record) -> bool:
        """Whether steps of a run may race, if nothing orders them: whether it is worth to know what does."""
        found = False
        if self.mode != "ignore":
            for step in record.steps:
                if step.access is not None and self._with(step):
                    found = True
        return found

    def of(self, record: Record, past: Sequence[int]) -> Iterator[DataRace]:
        """The races of a run that nobody was told of; `past` is what happened before each of its steps."""
        before: dict[Step, list[int]] = {}
        for index, step in enumerate(record.steps):
            if step.access is None or not self._with(step):
                continue
            actor = record.actors[index]
            for other in sorted(self._with(step), key=lambda each: each.what):
                events = [event for event in before.get(other, ()) if record.actors[event] != actor]
                if any(_is_direct(past, event, index) for event in events):
                    yield self._found(other, step)
            before.setdefault(step, []).append(index)

    def _found(self, one: Step, other: Step) -> DataRace:
        """The race of two steps, which are not asked for again."""
        assert one.access is not None and other.access is not None
        first, second = sorted((one.access, other.access), key=lambda access: (access.said, access.name))
        race = DataRace(first.name, first, second)
        self._told.add(race.key)
        for step, partners in self._partners.items():
            self._partners[step] = {each for each in partners if not self._is_told(step, each)}
        return race

    def _with(self, step: Step) -> set[Step]:
        """The steps that one races with if nothing orders them."""
        known = self._partners.get(step)
        if known is None:
            known = self._partners[step] = set()
            access = step.access
            assert access is not None
            for place in range(access.start // _GRANULE, (access.start + access.size - 1) // _GRANULE + 1):
                there = self._there.setdefault(place, [])
                there.append(step)
                for other in there:
                    if may_race(access, _access(other), self.mode) and not self._is_told(step, other):
                        known.add(other)
                        self._partners[other].add(step)
        return known

    def _is_told(self, one: Step, other: Step) -> bool:
        said = sorted((_access(one).said, _access(other).said))
        return (said[0], said[1]) in self._told


def _access(step: Step) -> ByteAccess:
    assert step.access is not None
    return step.access


def _is_direct(past: Sequence[int], event: int, later: int) -> bool:
    """Whether `event` is before `later` for no other reason than that they race."""
    between = past[later] & -(2 << event) & ~(1 << later)
    while between:
        last = between.bit_length() - 1
        if past[last] >> event & 1:
            return False
        between &= ~past[last]
    return True
