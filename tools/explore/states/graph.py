"""The states of a world that were met, and which of its circles are fair.

A circle is fair if whoever can go in some state of it goes somewhere in it, and if each choice of hardware that is made
in it comes with all its outcomes. Who is passed over only because others go is then not passed over for ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

Edge = tuple[int, int]
"""Who goes, with which outcome."""
Need = tuple[int, str | None, int | None]
"""What a circle must hold: a step of an actor, and if a choice was made in it, that one with its outcome."""
OVER = -1
"""Where a run ends."""


@dataclass(slots=True)
class KnownState:
    """One state: whom it was first reached from, who can go, and where that leads, as far as it was tried."""

    parent: int
    by: Edge
    depth: int
    options: dict[int, tuple[str, int]]
    """Of each actor that can go its step, and how many outcomes that has (at least 1)."""
    unfinished: int
    """Who must come to an end and has not, as a mask."""
    edges: dict[Edge, int] = field(default_factory=dict)

    def untried(self) -> Iterator[Edge]:
        """What was not tried yet."""
        for actor, (_, outcomes) in self.options.items():
            for outcome in range(outcomes):
                if (actor, outcome) not in self.edges:
                    yield actor, outcome


class Graph:
    """All states that were met; the first is number 0."""

    def __init__(self) -> None:
        self.states: list[KnownState] = []
        self.numbers: dict[bytes, int] = {}

    @property
    def edges(self) -> int:
        """How many steps were tried, each from one state."""
        return sum(len(state.edges) for state in self.states)

    def path(self, number: int) -> list[Edge]:
        """The way by which a state was first reached."""
        way = []
        while number:
            way.append(self.states[number].by)
            number = self.states[number].parent
        return way[::-1]

    def circle(self, of: int) -> tuple[list[Edge], list[Edge]] | None:
        """The shortest way to a fair circle in which somebody of the mask `of` never finishes, and the circle; None if
        none is known."""
        inside = {number for number, state in enumerate(self.states) if state.unfinished & of}
        work: list[tuple[set[int], set[tuple[int, str]]]] = [(inside, set())]
        while work:
            among, without = work.pop()
            for part in self._parts(among, without):
                states = [self.states[number] for number in part]
                goes, chosen = self._taken(part, without)
                passed = {actor for state in states for actor in state.options} - {actor for actor, _ in goes}
                missing = {key for key, outcomes in chosen.items() if len(outcomes) < self._outcomes(part, key)}
                if not passed and not missing:
                    return self._lasso(part, without)
                left = {number for number in part if not passed & self.states[number].options.keys()}
                if left and (len(left) < len(part) or missing - without):
                    work.append((left, without | missing))
        return None

    def _outcomes(self, part: set[int], key: tuple[int, str]) -> int:
        actor, what = key
        steps = (self.states[number].options.get(actor) for number in part)
        return max((step[1] for step in steps if step is not None and step[0] == what), default=1)

    def _taken(
        self, part: set[int], without: set[tuple[int, str]]
    ) -> tuple[set[tuple[int, str]], dict[tuple[int, str], set[int]]]:
        """Who goes within some states, by what; and with which outcomes."""
        goes: set[tuple[int, str]] = set()
        chosen: dict[tuple[int, str], set[int]] = {}
        for number in part:
            state = self.states[number]
            for (actor, outcome), _ in self._inner(number, part, without):
                key = actor, state.options[actor][0]
                goes.add(key)
                chosen.setdefault(key, set()).add(outcome)
        return goes, chosen

    def _inner(self, number: int, among: set[int], without: set[tuple[int, str]]) -> Iterator[tuple[Edge, int]]:
        """The steps from a state that stay among some."""
        state = self.states[number]
        for edge, target in state.edges.items():
            if target in among and (edge[0], state.options[edge[0]][0]) not in without:
                yield edge, target

    def _parts(self, among: set[int], without: set[tuple[int, str]]) -> Iterator[set[int]]:
        """The strongly connected parts of some states that have a step in them (Tarjan, without recursion)."""
        order: dict[int, int] = {}
        low: dict[int, int] = {}
        stack: list[int] = []
        on_stack: set[int] = set()
        for root in sorted(among):
            if root in order:
                continue
            calls = [(root, self._inner(root, among, without))]
            order[root] = low[root] = len(order)
            stack.append(root)
            on_stack.add(root)
            while calls:
                number, rest = calls[-1]
                for _, target in rest:
                    if target not in order:
                        order[target] = low[target] = len(order)
                        stack.append(target)
                        on_stack.add(target)
                        calls.append((target, self._inner(target, among, without)))
                        break
                    if target in on_stack:
                        low[number] = min(low[number], order[target])
                else:
                    calls.pop()
                    if calls:
                        low[calls[-1][0]] = min(low[calls[-1][0]], low[number])
                    if low[number] == order[number]:
                        part = set[int]()
                        while number not in part:
                            part.add(stack.pop())
                        on_stack -= part
                        if any(True for each in part for _ in self._inner(each, part, without)):
                            yield part

    def _lasso(self, part: set[int], without: set[tuple[int, str]]) -> tuple[list[Edge], list[Edge]]:
        """A short way into a part that is fair as a whole, and round in it by all that must be done.

        The circle begins where there is a choice, so that a schedule can say so.
        """
        choosable = [number for number in part if len(self.states[number].options) > 1] or list(part)
        first = min(choosable, key=lambda number: (self.states[number].depth, number))
        goes, chosen = self._taken(part, without)
        needs: set[Need] = {(actor, None, None) for actor, _ in goes}
        needs |= {(*key, outcome) for key, outcomes in chosen.items() if len(outcomes) > 1 for outcome in outcomes}
        circle: list[Edge] = []
        at = first
        while needs:
            way, at = self._way(at, part, without, self._meets_some(needs))
            circle += way
            needs = needs - self._met(first, circle)
        if at != first:
            way, at = self._way(at, part, without, self._ends_in(first))
            circle += way
        way, _ = self._way(0, set(range(len(self.states))), set(), self._ends_in(first)) if first else ([], 0)
        return way, circle

    def _ends_in(self, number: int) -> Callable[[int, Edge], bool]:
        return lambda start, edge: self.states[start].edges[edge] == number

    def _meets(self, number: int, edge: Edge) -> set[Need]:
        actor, outcome = edge
        return {(actor, None, None), (actor, self.states[number].options[actor][0], outcome)}

    def _meets_some(self, needs: set[Need]) -> Callable[[int, Edge], bool]:
        return lambda number, edge: bool(self._meets(number, edge) & needs)

    def _met(self, first: int, circle: Iterable[Edge]) -> set[Need]:
        found: set[Need] = set()
        at = first
        for edge in circle:
            found |= self._meets(at, edge)
            at = self.states[at].edges[edge]
        return found

    def _way(
        self, start: int, part: set[int], without: set[tuple[int, str]], ends: Callable[[int, Edge], bool]
    ) -> tuple[list[Edge], int]:
        """The shortest way within a part whose last step is one that `ends` it, and where it leads."""
        before: dict[int, tuple[int, Edge]] = {}
        queue = deque([start])
        seen = {start}
        while queue:
            number = queue.popleft()
            for edge, target in self._inner(number, part, without):
                if ends(number, edge):
                    way = [edge]
                    while number != start:
                        number, step = before[number]
                        way.append(step)
                    return way[::-1], target
                if target not in seen:
                    seen.add(target)
                    before[target] = number, edge
                    queue.append(target)
        raise AssertionError("a strongly connected part has a way from each state to each step")
