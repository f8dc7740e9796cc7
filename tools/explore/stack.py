"""Where a depth-first search of schedules stands: the choices of the current run, and what else each point must try.

Nothing but small ints, so that it can be written to a file and continued, or cut into subtrees for other processes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgpack

from actors.runtime.causality import bits
from actors.runtime.step import Step

from .reversal import Reversal
from .wakeup import Tree, flat, unflat

_VERSION = 5
_ROWS = 20_000
"""Planned steps that are written, more or less: the plans of a run of thousands of steps come to millions."""


class StackError(ValueError):
    """A packed stack that cannot be read."""


@dataclass(slots=True)
class Node:
    """One step of the current run. `sleep` and `done` are masks of actors."""

    actor: int
    outcome: int = 0
    options: int = 0
    sleep: int = 0
    """Whose next step need not be tried here: all that follows it is seen elsewhere."""
    done: int = 0
    """Who was tried here, with all outcomes."""
    tree: Tree = field(default_factory=list)
    """What must still be tried here, besides the current actor."""
    taken: Tree = field(default_factory=list)
    """The branches that begin with the current actor."""
    narrow: dict[int, Step] = field(default_factory=dict)
    """Of those in `sleep` and `done` who came to touch less than they announced: what that was."""
    touched: Step | None = None
    """The same of the current actor, whatever its outcome."""

    def alternatives(self) -> dict[int, Tree]:
        """The branches of `tree` by who begins them, in the order in which they are tried."""
        found: dict[int, Tree] = {}
        for branch in self.tree:
            found.setdefault(branch.actor, []).append(branch)
        return found

    def perform(self, step: Step) -> None:
        """What the current actor's step came to be, with the current outcome."""
        self.options = step.options
        if not self.outcome:
            self.touched = None if step.announced is None else Step(step.what, step.reads, step.writes)
        elif self.touched is not None:
            other = self.touched
            self.touched = Step(step.what, other.reads | step.reads, other.writes | step.writes)

    def turn(self) -> bool:
        """Let the next actor try, this one is done; False if there is none."""
        self.done |= 1 << self.actor
        if self.touched is not None:
            self.narrow[self.actor] = self.touched
            self.touched = None
        if not self.tree:
            return False
        (self.actor, self.taken), *others = self.alternatives().items()
        self.tree = [branch for _, branches in others for branch in branches]
        self.outcome = self.options = 0
        return True


@dataclass(frozen=True, slots=True)
class Escape:
    """A reversal at a point above the subtree that found it: who may be first, and its steps."""

    depth: int
    initials: int
    tree: Tree


class Stack:
    """The nodes from the root. The first `floor` of them belong to somebody else (see `share.py`): they are replayed,
    and of the last of them only the outcomes are tried."""

    def __init__(self, nodes: list[Node] | None = None, floor: int = 0, *, everything: bool = False) -> None:
        self.nodes = nodes or []
        self.floor = floor
        self.everything = everything
        """Whether every point tries all who can go and are not asleep, so that no race has to be turned round: see
        `dpor.py` on runs that are cut at a bound."""
        self.exhausted = False
        self.shared = False
        """Whether it was begun elsewhere, and perhaps others search parts of the same tree. What they find comes too
        late to be planned here, and the footprints of what is planned are not written. So only who goes first in a
        reversal counts: source-DPOR, which begins some runs in vain."""
        self.escapes: list[Escape] = []
        self.share = 1.0
        """How much of the whole tree was ahead here when this was last weighed."""
        self._behind = 0.0

    def asleep(self) -> int:
        """Who sleeps after the last planned choice, unless its step wakes them."""
        if not self.nodes:
            return 0
        node = self.nodes[-1]
        return (node.sleep | node.done) & ~(1 << node.actor)

    def add(self, reversal: Reversal) -> None:
        """See to it that the reversed order is tried, unless it is known to be seen elsewhere."""
        node = self.nodes[reversal.event]
        tried = node.sleep | node.done
        if not self.shared:
            actors = (bit.bit_length() - 1 for bit in bits(tried))
            if not any(reversal.begins_with(actor, node.narrow.get(actor)) for actor in actors):
                reversal.insert(node.tree)
            return
        initials = reversal.initials()
        if not initials & (tried | sum({1 << branch.actor for branch in node.tree})):
            chain = reversal.chain()
            node.tree += chain
            if reversal.event < self.floor:
                self.escapes.append(Escape(reversal.event, initials, chain))

    def backtrack(self) -> bool:
        """Go back to the deepest point that has something left, and plan that; False if none has."""
        nodes = self.nodes
        while len(nodes) > self.floor:
            node = nodes[-1]
            if node.outcome + 1 < node.options:
                node.outcome += 1
                return True
            if node.turn():
                return True
            nodes.pop()
        if nodes and nodes[-1].outcome + 1 < nodes[-1].options:
            nodes[-1].outcome += 1  # whoever was given an actor to try was given all its outcomes
            return True
        self.exhausted = True
        return False

    def explored(self) -> float:
        """How much of the tree is behind, if all branches of a point weigh the same and no further ones appear."""
        share, weight = 0.0, 1.0
        for depth in range(max(self.floor - 1, 0), len(self.nodes)):
            node = self.nodes[depth]
            if depth >= self.floor:
                done = node.done.bit_count()
                weight /= done + 1 + len(node.alternatives())
                share += weight * done
            if node.options > 1:
                weight /= node.options
                share += weight * node.outcome
        return 1.0 if self.exhausted else share

    def ahead(self) -> float:
        """How much of the whole tree, of which this is a part, is still to be explored here."""
        return self.share * (1.0 - self.explored()) / (1.0 - self._behind) if self._behind < 1.0 else 0.0

    def weigh(self, share: float) -> None:
        """What is still to be explored here is such a share of the whole tree."""
        self.share, self._behind = share, self.explored()

    def pack(self) -> bytes:
        """The stack as msgpack."""
        branches = sum(len(node.tree) + len(node.taken) for node in self.nodes)
        deepest = max(_ROWS // (branches + 1), 1)
        nodes = [
            [
                *(node.actor, node.outcome, node.options, node.sleep, node.done),
                *(flat(tree, deepest) for tree in (node.tree, node.taken)),
            ]
            for node in self.nodes
        ]
        escapes = [[escape.depth, escape.initials, flat(escape.tree, deepest)] for escape in self.escapes]
        weight = [self.share, self._behind]
        packed: bytes = msgpack.packb([_VERSION, self.floor, self.everything, self.exhausted, nodes, escapes, weight])
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Stack:
        """The stack of `pack`; StackError if it is something else."""
        try:
            version, *rest = msgpack.unpackb(packed)
            if version != _VERSION:
                raise StackError(f"read search state: version {version}, this program reads {_VERSION}")
            floor, everything, exhausted, nodes, escapes, weight = rest
            made = [Node(*node[:-2], *map(unflat, node[-2:])) for node in nodes]
            stack = cls(made, floor, everything=everything)
            stack.exhausted = exhausted
            stack.shared = bool(nodes)
            stack.escapes = [Escape(depth, initials, unflat(tree)) for depth, initials, tree in escapes]
            stack.share, stack._behind = weight
        except (ValueError, TypeError, IndexError, msgpack.UnpackException) as problem:
            raise StackError(f"read search state: {problem}") from None
        return stack
