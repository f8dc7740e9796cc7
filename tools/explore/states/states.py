"""Tries every step from every state once: a run goes on until it comes to a state that is known."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from typing import NoReturn

from actors.runtime.primitives.events import oracle_name
from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.fingerprint import Unclear, state_of
from actors.runtime.runs.lasso import unfinished_of, unnumbered
from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import AGAIN, Schedule
from actors.runtime.runs.scheduler import Replay, ScheduleMismatch

from ..search import Cut, MakeWorld
from .graph import OVER, Edge, Graph, KnownState

_LOOKS_FROM = 64
"""States after which fair circles are looked for; then after twice as many each."""
_FOLLOWED = 512
"""So often a known state is gone on from, to see that it goes on as it did; and of the others one in so many."""
_SHARE = 16
_FAR = 3
"""How many steps."""
_CHAIN = 32
"""New states of one run: of a world without end those are seen first that are near its beginning."""


class States:
    """A strategy that sees all states, at most so many, and looks for a fair circle in which somebody never finishes.

    `must_finish` names of whom it is asked; of all who are no daemons, if it is empty.
    """

    whole_runs = False
    sees_every_step = True

    def __init__(self, must_finish: Collection[str] = (), most: int | None = None) -> None:
        self.graph = Graph()
        self.unclear = ""
        """Why states cannot be told apart; empty if they can."""
        self.lasso: tuple[list[Edge], list[Edge]] | None = None
        """A fair circle, and the way into it."""
        self.names: dict[str, bool] = {}
        """All actors that there were, and whether each is a daemon."""
        self.witnesses: dict[str, bool] = {}
        """What must be reached, and whether it was."""
        self.must_finish = must_finish
        self._most = most
        self._next_look = _LOOKS_FROM
        self._queue: deque[int] = deque()
        self._met = 0
        self._left = 0
        self._has_begun = False

    @property
    def exhaustive(self) -> bool:
        """Whether all states are known, and no circle among them."""
        return not (self.unclear or self.lasso or self._queue)

    def more(self) -> bool:
        """Whether a step is left to try."""
        graph, queue = self.graph, self._queue
        while queue and next(graph.states[queue[0]].untried(), None) is None:
            queue.popleft()
        is_over = (self._has_begun and not queue) or (self._most is not None and len(graph.states) >= self._most)
        if not self.unclear and self.lasso is None and (is_over or len(graph.states) >= self._next_look):
            self._next_look = 2 * len(graph.states)
            self.lasso = graph.circle(self._asked())
        return not (is_over or self.unclear or self.lasso)

    def begin_anew(self) -> None:
        """Nothing rests on footprints here."""

    def start(self, execution: Record) -> None:
        """Go to the nearest state that has a step untried."""
        self._execution = execution
        self._has_begun = True
        self._plan: list[Edge] = []
        self._last: dict[int, int] = {}
        """When each actor went last: who waited longest is tried first."""
        self._at = OVER
        self._edge: Edge = (OVER, 0)
        self._left = self._new = 0
        if self._queue:
            number = self._queue[0]
            self._plan = [*self.graph.path(number), next(self.graph.states[number].untried())]

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The planned step; beyond the plan the first untried one of a new state."""
        if outcome:
            return self._edge[1]
        index = self._execution.index
        if index < len(self._plan):
            self._at = self._along(index)
            self._edge = self._plan[index]
        else:
            self._at = self._arrived(options)
            self._edge = self._next_edge()
        self._last[self._edge[0]] = index
        return self._edge[0]

    def finish(self) -> None:
        """The run is over, so its last step leads nowhere."""
        self._note()
        if self._at != OVER:
            self.graph.states[self._at].edges.setdefault(self._edge, OVER)

    def _note(self) -> None:
        """Keep what a run has shown besides its states."""
        world = self._execution.world
        for actor in world.actors:
            self.names[actor.name] = actor.daemon
        for witness in world.witnesses:
            name = oracle_name(witness)
            self.witnesses[name] = witness.reached or self.witnesses.get(name, False)

    def _cut(self) -> NoReturn:
        self._note()
        raise Cut

    def _along(self, index: int) -> int:
        """The state before a step of the plan."""
        if index == 0:
            return 0
        return self.graph.states[self._at].edges[self._edge]

    def _arrived(self, options: Sequence[int]) -> int:
        """The state that was come to, by the last step; Cut if it is known, and need not be gone on from."""
        try:
            digest = state_of(self._execution.world, self._execution.pending)
        except Unclear as why:
            self.unclear = str(why)
            self._cut()
        graph = self.graph
        number = graph.numbers.get(digest)
        if number is None and self._most is not None and len(graph.states) >= self._most:
            self._cut()
        if self._at != OVER:
            known = graph.states[self._at].edges.setdefault(self._edge, len(graph.states) if number is None else number)
            if known != (len(graph.states) if number is None else number):
                self._refuse(known)
        here = self._options(options)
        if number is None:
            number = graph.numbers[digest] = len(graph.states)
            depth = graph.states[self._at].depth + 1 if self._at != OVER else 0
            graph.states.append(KnownState(self._at, self._edge, depth, here, self._unfinished()))
            self._queue.append(number)
            self._left = 0
            self._new += 1
            if self._new > _CHAIN:
                self._cut()
            return number
        if {actor: (unnumbered(what), count) for actor, (what, count) in graph.states[number].options.items()} != {
            actor: (unnumbered(what), count) for actor, (what, count) in here.items()
        }:
            self._refuse(number)
        self._go_on_or_cut(number)
        return number

    def _go_on_or_cut(self, number: int) -> None:
        """Of some known states look where they lead now, as they did before; the rest of all others is known."""
        if self._left == 0:
            self._met += 1
            if self._met > _FOLLOWED and self._met % _SHARE:
                self._cut()
            self._left = _FAR + 1
        self._left -= 1
        if not self._left or not any(target != OVER for target in self.graph.states[number].edges.values()):
            self._cut()

    def _next_edge(self) -> Edge:
        state = self.graph.states[self._at]
        if self._left:
            tried = [edge for edge, target in state.edges.items() if target != OVER]
            return tried[self._met % len(tried)]
        return min(state.untried(), key=lambda edge: (self._last.get(edge[0], -1), edge))

    def _refuse(self, number: int) -> NoReturn:
        steps = ", ".join(what for what, _ in self.graph.states[number].options.values())
        self.unclear = (
            f"two runs that come to the same state go on differently (there somebody can take: {steps}): something "
            "that decides is not part of it"
        )
        self._cut()

    def _options(self, options: Sequence[int]) -> dict[int, tuple[str, int]]:
        found = {}
        for actor in options:
            step = self._execution.pending[actor]
            assert step is not None
            found[actor] = step.what, max(step.options, 1)
        return found

    def _unfinished(self) -> int:
        return sum(1 << number for number in unfinished_of(self._execution))

    def _asked(self) -> int:
        """Of whom it is asked whether he finishes, as a mask."""
        if not self.must_finish:
            return -1
        return sum(1 << number for number, name in enumerate(self._execution.world.names) if name in self.must_finish)


def circle_of(states: States, bound: int) -> Schedule | None:
    """The schedule that leads into the circle that was found and goes round it; None if there is none.

    It cannot say where the circle begins if nobody has a choice there; then it goes round until the `bound`.
    """
    if states.lasso is None:
        return None
    way, circle = states.lasso
    graph, at, choices = states.graph, 0, list[int]()

    def go(edges: Sequence[Edge]) -> None:
        nonlocal at
        for actor, outcome in edges:
            state = graph.states[at]
            if len(state.options) > 1:
                choices.append(actor)
            if state.options[actor][1] > 1:
                choices.append(outcome)
            at = state.edges[actor, outcome]

    go(way)
    if len(graph.states[at].options) < 2:
        steps = len(way)
        while steps < bound:
            go(circle[: bound - steps])
            steps += len(circle)
        return tuple(choices)
    choices.append(AGAIN)
    go(circle)
    choices.append(AGAIN)
    return tuple(choices)


def confirmed(driver: Controlled, make_world: MakeWorld, states: States) -> Execution | None:
    """The run of the circle that was found, which goes round and round; None if there is none."""
    world = make_world()
    schedule = circle_of(states, world.step_bound)
    if schedule is None:
        return None
    try:
        execution = driver.run(world, Replay(schedule))
    except ScheduleMismatch:
        return None
    return None if execution.finding is None else execution
