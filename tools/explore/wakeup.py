"""Wakeup trees: what must still be tried at a point, each alternative with all that is known of how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from actors.runtime.step import Step

from .lineage import Lineage


class Move(NamedTuple):
    """A step of a run, without what would keep its world."""

    lineage: Lineage
    actor: int
    outcome: int
    reads: int
    writes: int


class Sequel:
    """A sequence of steps of one run, of which nothing is written out before it is wanted: there may be as many as the
    run has races, each nearly as long as the run."""

    __slots__ = ("_certain", "_late", "_moves", "_number")

    def __init__(self, moves: Sequence[Move], number: int, late: Move, certain: bool) -> None:
        self._moves = moves
        self._number = number
        self._late = late
        self._certain = certain

    def tree(self, events: int) -> Tree:
        """The moves of the mask `events`; event `number` is the `late` one, which is only perhaps `certain`."""
        if not events:
            return []
        number = (events & -events).bit_length() - 1
        is_late = number == self._number
        lineage, actor, outcome, reads, writes = self._late if is_late else self._moves[number]
        branch = Branch(actor, lineage, outcome, Step("", reads, writes), self._certain or not is_late)
        branch._follow(self, events & events - 1)
        return [branch]


class Branch:
    """A step to try, and the tree of what to try after it; an empty one says that any order will do."""

    __slots__ = ("_events", "_rest", "_sequel", "actor", "certain", "lineage", "outcome", "step")

    def __init__(
        self, actor: int, lineage: Lineage, outcome: int = 0, step: Step | None = None, certain: bool = True
    ) -> None:
        self.actor = actor
        """Its number at the root of a tree; further on others may have been spawned, so that only `lineage` counts."""
        self.lineage = lineage
        self.outcome = outcome
        self.step = step
        """Its footprint. None if it is not known: the tree was read from a file, or comes from another process."""
        self.certain = certain
        """Whether it is known to be possible."""
        self._sequel: Sequel | None = None
        self._events = 0
        self._rest: Tree | None = None

    @property
    def rest(self) -> Tree:
        """What to try after it."""
        if self._rest is None:
            self._rest = [] if self._sequel is None else self._sequel.tree(self._events)
            self._sequel = None
        return self._rest

    def _follow(self, sequel: Sequel, events: int) -> None:
        """After it come these events."""
        self._sequel, self._events = sequel, events


Tree = list[Branch]


def after(tree: Tree, lineage: Lineage, outcome: int) -> Tree:
    """What is left of `tree` when a step was taken."""
    for branch in tree:
        if branch.lineage == lineage and branch.outcome == outcome:
            return branch.rest
    return []


def flat(tree: Tree, deepest: int) -> list[list[int]]:
    """The branches, each behind the one that it follows: depth, actor, outcome, lineage. (A tree may be deeper than
    lists can be nested in a file.) What is deeper than `deepest` is left out: then any order will do there."""
    return list(_walk(tree, deepest))


def _walk(tree: Tree, deepest: int) -> Iterator[list[int]]:
    left = [(0, branch) for branch in reversed(tree)]
    while left:
        depth, branch = left.pop()
        yield [depth, branch.actor, branch.outcome, *branch.lineage]
        if depth < deepest:
            left.extend((depth + 1, each) for each in reversed(branch.rest))


def unflat(branches: Iterable[list[int]]) -> Tree:
    """The tree of `flat`; ValueError or IndexError if it is something else."""
    trees: list[Tree] = [[]]
    for depth, actor, outcome, *lineage in branches:
        branch = Branch(actor, tuple(lineage), outcome)
        trees[depth].append(branch)
        trees[depth + 1 :] = [branch.rest]
    return trees[0]
