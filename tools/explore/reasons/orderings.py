"""The orderings of racing steps that a failure can be due to, and which of them other runs keep.

A run stands for its class: all orders of its independent steps. Steps that race in the failing run may be independent
in another one (a footprint can depend on what was read): such a class has schedules of both orders, so it neither keeps
nor breaks the ordering.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

from actors.runtime.primitives.step import Resource
from actors.runtime.runs.causality import bits, causality_of
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule

from ..strategies.hitting import smallest_hitting_set
from ..strategies.points import Point, points, waiting


@dataclass(frozen=True, slots=True)
class Ordering:
    """Two racing steps, and what they race for. The second does not come unless the first came before it."""

    first: Point
    second: Point
    objects: tuple[Resource, ...]
    flow: bool
    """The second step only reads what the first wrote."""

    @property
    def points(self) -> tuple[Point, Point]:
        """Both steps."""
        return self.first, self.second

    def __str__(self) -> str:
        return f"{self.first} — before — {self.second}"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The fewest orderings that no passing run keeps."""

    numbers: tuple[int, ...]
    both: bool
    """Both steps of each must come; else a run also keeps an ordering whose second step never comes."""
    exact: bool
    """All runs that fail in the same way keep them."""
    complete: bool
    """False if a passing run keeps all orderings there are: then the chosen ones explain only the others."""


@dataclass(slots=True)
class _Kind:
    """Runs that treat the orderings alike (masks of their numbers)."""

    turned: int
    """Kept by no schedule of the class: the second step comes, and not after the first."""
    missing: int
    """One of the steps never comes, though it did in the failing run."""
    loose: int
    """Kept by some schedules of the class and not by others."""

    def broken(self, both: bool) -> int:
        """What no schedule of the class keeps."""
        return self.turned | self.missing if both else self.turned


@dataclass(slots=True)
class Sorting:
    """Sorts the classes of runs by which orderings of the failing run they break."""

    orderings: list[Ordering]
    pairs: list[tuple[Point, Point, bool]]
    """The same without lines, and whether the failing run waited for the second step in vain."""
    places: list[tuple[int, int]]
    """The numbers of the two steps in the failing run."""
    late: int
    """Orderings whose second step comes after the failure (a mask)."""
    signature: tuple[str, ...]
    """Of the failure."""
    passing: dict[tuple[int, int], Schedule] = field(default_factory=dict)
    """What is turned and what is missing -> a schedule."""
    passing_runs: int = 0
    failing_runs: int = 0
    other_runs: int = 0
    """Those of the failing ones that fail in another way."""
    turned: int = 0
    """Orderings that some passing run turns round."""
    unkept: tuple[int, int] = (0, 0)
    """Orderings that some schedule does not keep although it fails in this way; the same if both steps must come."""

    @classmethod
    def of(cls, failing: Execution, shown: Sequence[Point]) -> Sorting:
        """For one failing run, taken to the end, with its points as people see them."""
        found = racing(failing, shown)
        plain = points(failing)
        index = {point: number for number, point in enumerate(shown)}
        taken, end = len(failing.steps), end_of(failing)
        places = [(index[one.first], index[one.second]) for one in found]
        late = sum(1 << number for number, (_, second) in enumerate(places) if second > end)
        pairs = [(plain[first], plain[second], second >= taken) for first, second in places]
        assert failing.finding is not None
        return cls(found, pairs, places, late, failing.finding.signature)

    def watch(self, execution: Execution, past: Sequence[int]) -> None:
        """Note one run, `past` being what happened before each of its steps."""
        kind = self._kind(execution, past)
        finding = execution.finding
        if finding is not None:
            self.failing_runs += 1
            if finding.signature != self.signature:
                self.other_runs += 1
                return
            loosely, strictly = self.unkept
            self.unkept = loosely | kind.broken(False) | kind.loose, strictly | kind.broken(True) | kind.loose
        else:
            self.passing_runs += 1
            self.turned |= kind.turned & ~kind.missing
            self.passing.setdefault((kind.turned, kind.missing), execution.schedule)

    def shared(self) -> tuple[Ordering, ...]:
        """The orderings up to the failure that all such failing runs keep and some passing run turns round."""
        kept = self.turned & ~self.unkept[True] & ~self.late
        return tuple(self.orderings[bit.bit_length() - 1] for bit in bits(kept))

    def choose(self) -> Chosen:
        """A smallest set of orderings that explains all passing runs; those that all such failures keep first.

        An ordering is read as "the second step does not come before the first". Where a run passes because a step that
        all depends on never comes, that may not tell it from the failing ones: then both steps must come. That a step
        reads what was written for it is no order that anybody could change: it is named where nothing else will do.
        """
        everything = (1 << len(self.orderings)) - 1
        causes = sum(1 << number for number, one in enumerate(self.orderings) if one.flow) & ~self.turned
        for both, exact, plain in product((False, True), (True, False), (True, False)):
            allowed = everything & ~(self.unkept[both] if exact else 0) & ~(causes if plain else 0)
            masks = self._broken(both, allowed)
            if all(masks):
                return Chosen(self._smallest(masks), both, exact, True)
        return Chosen(self._smallest([mask for mask in self._broken(True, everything) if mask]), True, False, False)

    def nearest(self, chosen: Chosen | None = None, only: int = 0) -> Schedule | None:
        """The passing schedule that breaks the fewest orderings, and of those `chosen` just number `only`."""
        near = list(self.passing)
        if chosen is not None:
            union = sum(1 << number for number in chosen.numbers)
            near = [key for key in near if _Kind(*key, 0).broken(chosen.both) & union == 1 << only]
        if not near:
            return None
        return self.passing[min(near, key=lambda key: ((key[0] | key[1]).bit_count(), key))]

    def breaks(self, execution: Execution, chosen: Chosen) -> int:
        """Which of the `chosen` orderings one schedule breaks, as it is (a mask)."""
        whole = [(2 << number) - 1 for number in range(len(execution.steps))]
        union = sum(1 << number for number in chosen.numbers)
        return self._kind(execution, whole).broken(chosen.both) & union

    def _broken(self, both: bool, allowed: int) -> list[int]:
        return [_Kind(*key, 0).broken(both) & allowed for key in self.passing]

    def _smallest(self, masks: Sequence[int]) -> tuple[int, ...]:
        found = smallest_hitting_set(masks, len(self.orderings), self._oddness)
        return tuple(sorted(found, key=lambda number: self.places[number]))

    def _oddness(self, chosen: Sequence[int]) -> tuple[int, int]:
        """A window of one object is easier to see than two races, and an order that can turn round than one that
        only goes away with a step."""
        objects = {self.orderings[number].objects for number in chosen}
        return len(objects), sum(not self.turned >> number & 1 for number in chosen)

    def _kind(self, execution: Execution, past: Sequence[int]) -> _Kind:
        at = {point: number for number, point in enumerate(points(execution)[: len(execution.steps)])}
        kind = _Kind(0, 0, 0)
        for number, (first, second, never) in enumerate(self.pairs):
            before, after = at.get(first), at.get(second)
            bit = 1 << number
            if before is None or (after is None and not never):
                kind.missing |= bit
            if after is None:
                continue
            if before is None or past[before] >> after & 1:
                kind.turned |= bit
            elif not past[after] >> before & 1:
                kind.loose |= bit
        return kind


def racing(failing: Execution, shown: Sequence[Point]) -> list[Ordering]:
    """All racing steps of different actors that the failure can be due to, the likelier first.

    The earlier step came before the failure; the later one may come after it, or wait for ever.
    """
    causality = causality_of(failing)
    for actor, step in waiting(failing):
        causality.append(actor, step, causality.closure(causality.before(actor), causality.conflicts(step)))
    events = [*zip(failing.actors, failing.steps, strict=True), *waiting(failing)]
    end = end_of(failing)
    names = failing.world.session.resources.names
    found: list[tuple[bool, bool, bool, int, int, tuple[Resource, ...], bool]] = []
    for second, (actor, step) in enumerate(events):
        for first, (other_actor, other) in enumerate(events[: min(second, end + 1)]):
            mask = (other.writes & (step.reads | step.writes)) | (other.reads & step.writes)
            if mask and actor != other_actor:
                within = causality.past[second] & (1 << second) - (2 << first)
                between = any(causality.past[bit.bit_length() - 1] >> first & 1 for bit in bits(within))
                objects = tuple(names(mask))
                flow = not step.writes & mask
                found.append((_is_lock(objects), between, second > end, first, second, objects, flow))
    found.sort(key=lambda one: one[:5])
    return [Ordering(shown[first], shown[second], objects, flow) for *_, first, second, objects, flow in found]


def _is_lock(objects: Sequence[Resource]) -> bool:
    """Whether all that two steps race for is who has a lock first: what it protects says more."""
    return all(isinstance(one, tuple) and one[:1] in (("lock",), ("rwlock",)) for one in objects)


def end_of(failing: Execution) -> int:
    """The number of the step with which the run failed."""
    return min(failing.finding.step, len(failing.steps) - 1) if failing.finding else 0
