"""Optimal DPOR: one run for each class of runs that differ only in the order of independent steps.

After each run the races that its new part has are turned round: what must come in the reversed order, as far as it is
known, is planned at the point before the earlier step (Abdulla, Aronis, Jonsson, Sagonas: *Source sets*, JACM 2017).
Sleep sets keep every class from being run twice. Nothing is pruned by state: under DPOR that loses bugs.

What a bound cuts off may hold the race that would have led elsewhere: an actor that loops for ever keeps the others
from ever going first. So a search in which some run reached its bound has not seen every run of at most so many steps.
A stack that tries `everything` has: each point tries all who can go there and are not asleep. Let w be a run of at
most N steps that the bound or its own end stops. Claim: from the point where w begins, some run with the steps of w in
an equivalent order is made, or w can begin with a sleeper. By induction over the points in the order in which they
are left, the last of a branch first: the first step of w is that of an actor who can go. If he sleeps, w begins with
a sleeper. Else he is tried, and the rest of w, one step shorter, is made behind his step, or can begin with somebody
who sleeps there. That one slept before and does not depend on the first step, so w can begin with him as well; or he
was tried at this very point before, and w with him in front, which is as long and stopped at the same place, was made
behind him. Nobody sleeps at the root. Equivalent runs have the same steps, so each is cut where the others are: what
w breaks within N steps, all of them break. And no two runs that are made are equivalent, as with any sleep sets.

Time-outs that come only when nothing else can move cut a run into parts. A part is a run of the world in which nobody's
time is ever over, up to where it can go no farther: so the claims above hold of each part by itself, if whoever waits
at its end is looked at there as at the end of a run. Behind it each time-out that is possible is tried. No race
goes over such a place: what comes later was not possible before, and what came before cannot come later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

from actors.runtime.primitives.events import ENDLESS, Outcome
from actors.runtime.primitives.step import races
from actors.runtime.runs.causality import Causality, bits
from actors.runtime.runs.record import Record

from ..search import Cut, Halted
from .estimate import Estimate, Estimator
from .lineage import Lineages
from .races import Races
from .reversal import Reversal
from .stack import Node, Stack
from .wakeup import Branch, Tree, after

_PATIENCE = 50_000
"""Looks for races between two looks at the clock, times the steps of the run."""


class Dpor:
    """The exhaustive strategy. `stack` lets it continue a search, or take a subtree of one.

    Beyond the plan, whoever went last is tried first if it `goes_on`, else the first of those who may go: all orders
    come to the same classes. To let everybody go on as far as possible shows soonest where they wait, which races need
    to know: of the runs that are cut short otherwise, three in four are not begun.
    """

    exhaustive = True
    whole_runs = True

    def __init__(
        self, stack: Stack | None = None, *, goes_on: bool = True, must_end: Callable[[], bool] | None = None
    ) -> None:
        """`must_end` is asked while the races of a long run are looked for: whether there is no time left for that."""
        self.stack = stack or Stack()
        self._goes_on = goes_on
        self._must_end = must_end
        self._looked = 0
        self.schedules = 0
        self._planned = len(self.stack.nodes)
        self._ready = not self.stack.exhausted
        self._causality = Causality()
        self._sleeps: list[int] = []
        """Who sleeps before each step beyond the plan, which began with the run or its last choice."""
        self._trees: list[Tree] = []
        """What a reversal that is being tried wants there."""
        self._estimator = Estimator()

    @property
    def past(self) -> Sequence[int]:
        """For each step of the run that was made last a mask of what happened before it, and itself."""
        return self._causality.past

    def more(self) -> bool:
        """Whether an order is left to try; goes back to the deepest point that has one."""
        if not self._ready and not self.stack.exhausted:
            self._ready = self.stack.backtrack()
            self._planned = len(self.stack.nodes)
            self._causality.rewind(max(self._planned - 1, 0))
            if self._estimator.is_due(self.schedules):
                self._estimator.note(self.schedules, self.stack.explored())
        return self._ready

    def begin_anew(self) -> None:
        """Forget the search: the footprints that it went by were too small."""
        self.stack = Stack(everything=self.stack.everything)
        self.schedules = self._planned = 0
        self._ready = True
        self._causality = Causality()
        self._estimator = Estimator()

    def estimate(self) -> Estimate:
        """Weighted backtrack estimate of the number of runs of the whole search."""
        self.more()
        return self._estimator.estimate(self.schedules, self.stack.explored())

    def start(self, execution: Record) -> None:
        """Follow the plan, then let who goes go on."""
        self._execution = execution
        self._lineages = Lineages(execution)
        self._sleeps = [] if self._planned else [0]
        self._trees = [] if self._planned else [[]]

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The planned choice; beyond the plan one of those who are not asleep, and the first outcome."""
        index = self._execution.index
        if index < self._planned:
            node = self.stack.nodes[index]
            return node.outcome if outcome else node.actor
        if outcome:
            return options[0]
        asleep = self._wake(index)
        awake = [option for option in options if not asleep >> option & 1] if asleep else options
        if not awake:
            self._cut(index)
        for branch in self._trees[index - self._planned]:
            actor = self._lineages.number(branch.lineage)
            if actor in awake:
                return actor
        last = self._execution.actors[-1] if index and self._goes_on else -1
        return last if last in awake else awake[0]

    def finish(self) -> None:
        """Look for races in what was new, and plan nothing yet: `more` does."""
        end = self._execution.index
        self._wake(end)
        execution = self._execution
        ended = execution.to_the_end or execution.outcome in (Outcome.QUIET, Outcome.DEADLOCK)
        # At its bound a run has no outcome yet: there, who waits may be about to go.
        at_rest = ended and execution.outcome is not None and execution.outcome not in ENDLESS
        try:
            self._learn(end, 0, at_rest=at_rest)
        except Halted:
            if execution.finding is None:
                raise
        self.schedules += 1

    def _wake(self, index: int) -> int:
        """Who sleeps before step `index`: whoever races with a step wakes up. And what is left of the tree there."""
        execution, sleeps, first = self._execution, self._sleeps, self._planned
        while first + len(sleeps) <= index:
            step_index = first + len(sleeps) - 1
            actor, step = execution.actors[step_index], execution.steps[step_index]
            if sleeps:
                asleep = sleeps[-1]
                if asleep >> actor & 1:  # it was the only one that could go, so nobody was asked
                    self._cut(step_index)
            else:
                asleep = self.stack.asleep()
            kept = 0
            for bit in bits(0 if step.timed_out else asleep):
                other = execution.next_step(bit.bit_length() - 1, step_index + 1)
                if other is not None and not races(other, step):
                    kept |= bit
            sleeps.append(kept)
            tree = self._trees[-1] if self._trees else self.stack.nodes[-1].taken
            self._trees.append(tree and after(tree, self._lineages.of(actor), execution.outcomes[step_index]))
        return sleeps[index - first]

    def _cut(self, index: int) -> NoReturn:
        """Give the run up before step `index`: only sleepers could go, so the rest was seen elsewhere."""
        self._learn(index, self._sleeps[index - self._planned], at_rest=True)
        raise Cut

    def _learn(self, length: int, asleep: int, *, at_rest: bool) -> None:
        """Take the new steps of the run, `length` in all, into the stack, and reverse the races that they end."""
        execution, causality, stack = self._execution, self._causality, self.stack
        nodes, first, known = stack.nodes, self._planned, len(causality.past)
        if first:
            nodes[-1].options = execution.steps[first - 1].options
        nodes += map(self._node, range(first, length))
        self._ready = False
        if stack.everything:
            return
        self._looked = 0
        ends = [index for index in range(known, length) if execution.steps[index].timed_out]
        for end in [*ends, length]:
            begin = len(causality.past)
            for index in range(begin, end):
                causality.add(execution.actors[index], execution.steps[index])
            races_of = Races(causality, execution, self._lineages, at_rest or end < length).of
            for index in range(max(begin, first - 1), end):
                self._look_at_the_clock()
                if not execution.steps[index].timed_out:
                    self._reverse(races_of(index, execution.actors[index], execution.steps[index]))
            for actor in range(len(execution.pending)):
                last = execution.next_step(actor, end) if execution.born[actor] <= end else None
                if last is not None and not (end == length and asleep >> actor & 1):
                    # A step that never came (blocked for ever, or beyond the bound) may be possible earlier; as may one
                    # that had not come when time-outs came, behind which it is another step.
                    self._reverse(races_of(end, actor, last))

    def _reverse(self, reversals: Iterator[Reversal]) -> None:
        """Have what is to be tried tried."""
        for reversal in reversals:
            self._look_at_the_clock()
            self.stack.add(reversal)

    def _look_at_the_clock(self) -> None:
        """Halted if there is no time left: the run is then as if it had not been made, but for what is planned."""
        self._looked += self._execution.index
        if self._looked < _PATIENCE:
            return
        self._looked = 0
        if self._must_end is None or not self._must_end():
            return
        del self.stack.nodes[self._planned :]
        self._causality.rewind(max(self._planned - 1, 0))
        self._ready = True
        raise Halted(self._execution.index)

    def _node(self, index: int) -> Node:
        """The point before step `index`, with what of its tree can be tried: the rest was not possible after all."""
        execution, new = self._execution, index - self._planned
        actor, asleep, tree = execution.actors[index], self._sleeps[new], self._trees[new]
        node = Node(actor, options=execution.steps[index].options, sleep=asleep)
        for branch in tree:
            branch.actor = self._lineages.number(branch.lineage)
            if branch.actor == actor:
                node.taken.append(branch)
            elif branch.actor in execution.offers[index] and not asleep >> branch.actor & 1:
                node.tree.append(branch)
        if self.stack.everything or execution.steps[index].timed_out:
            others = [other for other in execution.offers[index] if other != actor and not asleep >> other & 1]
            node.tree = [Branch(other, self._lineages.of(other)) for other in others]
        return node
