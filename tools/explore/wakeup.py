"""Wakeup trees: what must still be tried at a point, each alternative with all that is known of how it goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from actors.runtime.step import Step

from .lineage import Lineage


@dataclass(slots=True)
class Branch:
    """A step to try, and the tree of what to try after it; an empty one says that any order will do."""

    actor: int
    """Its number at the root of a tree; further on others may have been spawned, so that only `lineage` counts."""
    lineage: Lineage
    outcome: int = 0
    step: Step | None = None
    """Its footprint. None if it is not known: the tree was read from a file, or comes from another process."""
    rest: list[Branch] = field(default_factory=list)
    certain: bool = True
    """Whether it is known to be possible."""


Tree = list[Branch]


def after(tree: Tree, lineage: Lineage, outcome: int) -> Tree:
    """What is left of `tree` when a step was taken."""
    for branch in tree:
        if branch.lineage == lineage and branch.outcome == outcome:
            return branch.rest
    return []


def flat(tree: Tree) -> list[list[int]]:
    """The branches, each behind the one that it follows: depth, actor, outcome, lineage. (A tree may be deeper than
    lists can be nested in a file.)"""
    return list(_walk(tree))


def _walk(tree: Tree) -> Iterator[list[int]]:
    left = [(0, branch) for branch in reversed(tree)]
    while left:
        depth, branch = left.pop()
        yield [depth, branch.actor, branch.outcome, *branch.lineage]
        left.extend((depth + 1, each) for each in reversed(branch.rest))


def unflat(branches: Iterable[list[int]]) -> Tree:
    """The tree of `flat`; ValueError or IndexError if it is something else."""
    trees: list[Tree] = [[]]
    for depth, actor, outcome, *lineage in branches:
        branch = Branch(actor, tuple(lineage), outcome)
        trees[depth].append(branch)
        trees[depth + 1 :] = [branch.rest]
    return trees[0]
