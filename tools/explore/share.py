"""One proof on several workers: a stack is cut into subtrees at its shallowest open point.

A race found inside a subtree may ask for a further branch at a point above it. Those points belong to `Share`, which
makes a new subtree of it unless an equivalent branch was given out already: so the classes of runs are the same, each
once, however the work was cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .stack import Node, Stack
from .wakeup import Tree

Path = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Point:
    """A point that was cut: who must be tried there, all of them given out."""

    sleep: int
    given: int
    weight: float = 0.0
    """How much of the tree each of the branches that were given out is."""


class Share:
    """Subtrees that wait for a worker. Stacks go in and out packed, so a worker may be another process."""

    def __init__(self, hungry: int = 2, stack: Stack | None = None) -> None:
        self.hungry = hungry
        """With fewer subtrees than this in the queue, what comes back unfinished is cut."""
        stack = stack or Stack()
        self.everything = stack.everything
        """Whether all who can go are tried at every point (see `Stack`)."""
        self._queue: deque[Stack] = deque([stack])
        self._points: dict[Path, _Point] = {}
        self._out = 0
        self._lent = 0.0
        """How much of the tree was ahead of those that are with workers when they were taken."""
        self._whole = 1.0
        """The tree, and what was found to belong to it since."""

    @property
    def done(self) -> bool:
        """Whether nothing is left, here or with a worker."""
        return not self._queue and not self._out

    @property
    def explored(self) -> float:
        """How much of the tree is behind, if all branches of a point weigh the same and no further ones appear."""
        return 1.0 - (self._lent + sum(stack.ahead() for stack in self._queue)) / self._whole

    def progressed(self, stack: Stack) -> None:
        """The only subtree that was taken is this far now."""
        self._lent = stack.ahead()

    def take(self) -> bytes | None:
        """A subtree to search; None if all that is left is with other workers."""
        if not self._queue:
            return None
        self._out += 1
        stack = self._queue.popleft()
        stack.weigh(stack.ahead())
        self._lent += stack.share
        return stack.pack()

    def give(self, packed: bytes) -> None:
        """What became of a subtree that was taken: exhausted, or to be continued."""
        stack = Stack.unpack(packed)
        self._out -= 1
        self._lent = self._lent - stack.share if self._out else 0.0
        for escape in stack.escapes:
            point = self._points[_path(stack.nodes[: escape.depth])]
            if not escape.initials & (point.given | point.sleep):
                self._whole += point.weight
                self._branch(point, stack.nodes[: escape.depth], escape.tree).weigh(point.weight)
        stack.escapes.clear()
        if not stack.exhausted:
            if len(self._queue) < self.hungry:
                self._cut(stack)
            self._queue.append(stack)

    def pack(self, out: Iterable[bytes] = ()) -> list[object]:
        """All that is left, for a checkpoint: what waits, and what is `out` with workers as it was taken."""
        points = [
            [list(map(list, path)), point.sleep, point.given, point.weight] for path, point in self._points.items()
        ]
        return [[*(stack.pack() for stack in self._queue), *out], points, self._whole, self.everything]

    @classmethod
    def unpack(cls, packed: Sequence[Any]) -> Share:
        """What `pack` made; StackError or a TypeError if it is something else."""
        stacks, points, whole, everything = packed
        share = cls(stack=Stack(everything=bool(everything)))
        share._queue = deque(Stack.unpack(stack) for stack in stacks)
        for path, sleep, given, weight in points:
            share._points[tuple((actor, outcome) for actor, outcome in path)] = _Point(sleep, given, weight)
        share._whole = float(whole)
        return share

    def _cut(self, stack: Stack) -> None:
        """Give out the alternatives of the shallowest open point of `stack`, which keeps its current branch."""
        nodes, waiting, ahead = stack.nodes, len(self._queue), stack.ahead()
        self._give_outcomes(stack, stack.floor - 1)
        points = []
        for depth in range(stack.floor, len(nodes)):
            node = nodes[depth]
            alternatives = list(node.alternatives().values())
            point = self._points[_path(nodes[:depth])] = _Point(node.sleep, node.done | 1 << node.actor)
            points.append(point)
            stack.floor = depth + 1
            gave = self._give_outcomes(stack, depth)
            for taken in alternatives:
                self._branch(point, nodes[:depth], taken)
            if gave or alternatives:
                break
        parts = [stack, *list(self._queue)[waiting:]]
        for part in parts:
            part.weigh(ahead / len(parts))
        for point in points:
            point.weight = ahead / len(parts)

    def _give_outcomes(self, stack: Stack, depth: int) -> bool:
        """Give out the outcomes that `stack` has not tried at a point above its current run's last choice."""
        if not 0 <= depth < len(stack.nodes) - 1:
            return False
        node = stack.nodes[depth]
        if node.outcome + 1 >= node.options:
            return False
        rest = replace(node, outcome=node.outcome + 1)
        self._queue.append(Stack([*map(replace, stack.nodes[:depth]), rest], depth + 1, everything=self.everything))
        node.options = 0
        return True

    def _branch(self, point: _Point, above: list[Node], taken: Tree) -> Stack:
        """A new subtree: one of `taken` goes next after `above`; whoever was given out before sleeps in it."""
        actor = taken[0].actor
        node = Node(actor, sleep=point.sleep, done=point.given, taken=taken)
        point.given |= 1 << actor
        stack = Stack([*map(replace, above), node], len(above) + 1, everything=self.everything)
        self._queue.append(stack)
        return stack


def _path(nodes: list[Node]) -> Path:
    return tuple((node.actor, node.outcome) for node in nodes)
