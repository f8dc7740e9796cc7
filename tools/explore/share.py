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

from .causality import bits
from .stack import Node, Stack

Path = tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Point:
    """A point that was cut: who must be tried there, all of them given out."""

    sleep: int
    given: int


class Share:
    """Subtrees that wait for a worker. Stacks go in and out packed, so a worker may be another process."""

    def __init__(self, hungry: int = 2, stack: Stack | None = None) -> None:
        self.hungry = hungry
        """With fewer subtrees than this in the queue, what comes back unfinished is cut."""
        self._queue: deque[Stack] = deque([stack or Stack()])
        self._points: dict[Path, _Point] = {}
        self._out = 0

    @property
    def done(self) -> bool:
        """Whether nothing is left, here or with a worker."""
        return not self._queue and not self._out

    def take(self) -> bytes | None:
        """A subtree to search; None if all that is left is with other workers."""
        if not self._queue:
            return None
        self._out += 1
        return self._queue.popleft().pack()

    def give(self, packed: bytes) -> None:
        """What became of a subtree that was taken: exhausted, or to be continued."""
        stack = Stack.unpack(packed)
        self._out -= 1
        for escape in stack.escapes:
            point = self._points[_path(stack.nodes[: escape.depth])]
            if not escape.initials & (point.given | point.sleep):
                self._branch(point, stack.nodes[: escape.depth], escape.actor)
        stack.escapes.clear()
        if not stack.exhausted:
            if len(self._queue) < self.hungry:
                self._cut(stack)
            self._queue.append(stack)

    def pack(self, out: Iterable[bytes] = ()) -> list[object]:
        """All that is left, for a checkpoint: what waits, and what is `out` with workers as it was taken."""
        points = [[list(map(list, path)), point.sleep, point.given] for path, point in self._points.items()]
        return [[*(stack.pack() for stack in self._queue), *out], points]

    @classmethod
    def unpack(cls, packed: Sequence[Any]) -> Share:
        """What `pack` made; StackError or a TypeError if it is something else."""
        stacks, points = packed
        share = cls()
        share._queue = deque(Stack.unpack(stack) for stack in stacks)
        for path, sleep, given in points:
            share._points[tuple((actor, outcome) for actor, outcome in path)] = _Point(sleep, given)
        return share

    def _cut(self, stack: Stack) -> None:
        """Give out the alternatives of the shallowest open point of `stack`, which keeps its current branch."""
        nodes = stack.nodes
        self._give_outcomes(stack, stack.floor - 1)
        for depth in range(stack.floor, len(nodes)):
            node = nodes[depth]
            point = self._points[_path(nodes[:depth])] = _Point(node.sleep, node.done | 1 << node.actor)
            stack.floor = depth + 1
            gave = self._give_outcomes(stack, depth)
            for bit in bits(node.waiting):
                self._branch(point, nodes[:depth], bit.bit_length() - 1)
                gave = True
            if gave:
                return

    def _give_outcomes(self, stack: Stack, depth: int) -> bool:
        """Give out the outcomes that `stack` has not tried at a point above its current run's last choice."""
        if not 0 <= depth < len(stack.nodes) - 1:
            return False
        node = stack.nodes[depth]
        if node.outcome + 1 >= node.options:
            return False
        rest = replace(node, outcome=node.outcome + 1)
        self._queue.append(Stack([*map(replace, stack.nodes[:depth]), rest], depth + 1))
        node.options = 0
        return True

    def _branch(self, point: _Point, above: list[Node], actor: int) -> None:
        """A new subtree: `actor` goes next after `above`; whoever was given out before sleeps in it."""
        node = Node(actor, sleep=point.sleep, back=point.given | 1 << actor, done=point.given)
        point.given |= 1 << actor
        self._queue.append(Stack([*map(replace, above), node], len(above) + 1))


def _path(nodes: list[Node]) -> Path:
    return tuple((node.actor, node.outcome) for node in nodes)
