"""Where a depth-first search of schedules stands: the choices of the current run, and what else each point must try.

Nothing but small ints, so that it can be written to a file and continued, or cut into subtrees for other processes.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import msgpack

from .races import Reversal

_VERSION = 2


class StackError(ValueError):
    """A packed stack that cannot be read."""


@dataclass(slots=True)
class Node:
    """One step of the current run. `sleep`, `back` and `done` are masks of actors."""

    actor: int
    outcome: int = 0
    options: int = 0
    sleep: int = 0
    """Whose next step need not be tried here: all that follows it is seen elsewhere."""
    back: int = 0
    """Who must be tried here, including who was."""
    done: int = 0
    """Who was tried here, with all outcomes."""

    @property
    def waiting(self) -> int:
        """Who must still be tried here, besides the current actor."""
        return self.back & ~self.done & ~self.sleep & ~(1 << self.actor)


@dataclass(frozen=True, slots=True)
class Escape:
    """A reversal at a point above the subtree that found it."""

    depth: int
    initials: int
    actor: int


class Stack:
    """The nodes from the root. The first `floor` of them belong to somebody else (see `share.py`): they are replayed,
    and of the last of them only the outcomes are tried."""

    def __init__(self, nodes: list[Node] | None = None, floor: int = 0) -> None:
        self.nodes = nodes or []
        self.floor = floor
        self.exhausted = False
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
        """See to it that the reversed order is tried, unless somebody who begins it is or was."""
        node = self.nodes[reversal.event]
        if not reversal.initials & (node.back | node.sleep):
            node.back |= 1 << reversal.actor
            if reversal.event < self.floor:
                self.escapes.append(Escape(reversal.event, reversal.initials, reversal.actor))

    def backtrack(self) -> bool:
        """Go back to the deepest point that has something left, and plan that; False if none has."""
        nodes = self.nodes
        while len(nodes) > self.floor:
            node = nodes[-1]
            if node.outcome + 1 < node.options:
                node.outcome += 1
                return True
            node.done |= 1 << node.actor
            if waiting := node.waiting:
                node.actor = (waiting & -waiting).bit_length() - 1
                node.outcome = node.options = 0
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
                weight /= (node.back & ~node.sleep).bit_count()
                share += weight * (node.done & ~node.sleep).bit_count()
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
        nodes = [list(astuple(node)) for node in self.nodes]
        escapes = [list(astuple(escape)) for escape in self.escapes]
        weight = [self.share, self._behind]
        packed: bytes = msgpack.packb([_VERSION, self.floor, self.exhausted, nodes, escapes, weight])
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Stack:
        """The stack of `pack`; StackError if it is something else."""
        try:
            version, *rest = msgpack.unpackb(packed)
            if version != _VERSION:
                raise StackError(f"read search state: version {version}, this program reads {_VERSION}")
            floor, exhausted, nodes, escapes, weight = rest
            stack = cls([Node(*node) for node in nodes], floor)
            stack.exhausted = exhausted
            stack.escapes = [Escape(*escape) for escape in escapes]
            stack.share, stack._behind = weight
        except (ValueError, TypeError, msgpack.UnpackException) as problem:
            raise StackError(f"read search state: {problem}") from None
        return stack
