"""A race of a run turned round: the sequence of steps that is to be tried before the earlier of its two events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.causality import Causality
from actors.runtime.execution import Execution
from actors.runtime.step import ANYTHING, Step, races

from .lineage import Lineages
from .wakeup import Branch, Move, Sequel, Tree

Late = tuple[int, int, Step]
"""The later step of a race: the number of the event that it is or would be, its actor, and itself."""


@dataclass(slots=True, eq=False)
class Reversal:
    """`late` before event `event` of a run, amid `events` that do not depend on that."""

    causality: Causality
    execution: Execution
    lineages: Lineages
    moves: Callable[[], Sequence[Move]]
    """The steps of the run."""
    event: int
    late: Late
    causes: int
    """What must come before `late`: a mask, like all sets of events here."""
    events: int
    """The sequence, in the order in which its events came, `late` among them; `insert` takes away from it."""
    certain: bool
    """Whether all of it is known to be possible."""
    ahead: int = ANYTHING
    """Of `events` those that `late` cannot do without: they are planned first."""
    by_anybody: bool = False
    """Whether anybody may be who lets `late` go."""

    def begins_with(self, actor: int) -> bool:
        """Whether `actor` may as well go first of all: its step begins the sequence, or does not matter to it."""
        return self._begins(actor, self.execution.next_step(actor, self.event))

    def initials(self) -> int:
        """Those whose step comes first in the sequence, or could, as a mask of actors."""
        offered = self.execution.offers[self.event]
        return sum(1 << actor for actor in offered if self._first(actor) and self._begins(actor, None))

    def offered(self) -> int:
        """Who could go at the point before `event`, as a mask."""
        return sum(1 << actor for actor in self.execution.offers[self.event])

    def bare(self, actor: int) -> Branch:
        """The next step of `actor` as a branch after which any order will do."""
        step = self.execution.next_step(actor, self.event)
        return Branch(actor, self.lineages.of(actor), 0, step, awake=False)

    def insert(self, tree: Tree) -> None:
        """See to it that the sequence is tried: it is already if all of a branch of `tree` may go first."""
        awake = self.certain
        while self.events:
            branch, passed = self._take_first(tree)
            awake &= not passed
            if branch is None:
                tree.extend(self.chain(awake=awake))
                return
            if not branch.rest:
                if self.events and not branch.awake:
                    branch.then(self.chain(awake=awake))
                return
            tree = branch.rest

    def chain(self, *, awake: bool = False) -> Tree:
        """The sequence as a tree; whether all are `awake` at its end."""
        number, actor, step = self.late
        late = Move(self.lineages.of(actor), actor, 0, step.reads, step.writes)
        return Sequel(self.moves(), number, late, self.ahead, self.certain, awake).tree(self.events)

    def _take_first(self, tree: Tree) -> tuple[Branch | None, bool]:
        """The branch that may go first; the sequence is what is left of it then.

        And whether one was passed that may have begun it, if it is possible: then that one may sleep in what follows.
        """
        passed = False
        for branch in tree:
            actor = self.lineages.number(branch.lineage)
            first = self._first(actor)
            if first and self._outcome(first.bit_length() - 1) != branch.outcome:
                continue
            if self._begins(actor, branch.step):
                if first or branch.certain:
                    self.events &= ~first
                    return branch, passed
                passed = True  # if it is impossible, then nothing of the sequence is tried there
        return None, passed

    def _begins(self, actor: int, step: Step | None) -> bool:
        """Whether `step`, the next of `actor`, is one of the first steps, or races with none of the sequence.

        Whoever may be what hinders `late`, though no other step, is not one of the first.
        """
        number, _, late = self.late
        first = self._first(actor)
        if first == 1 << number:
            return not self.causes & self.events & ~first
        if first:
            if self.causality.past[first.bit_length() - 1] & self.events & first - 1:
                return False
            return self.certain or bool(first & self.ahead) or step is None or not races(step, late)
        if step is None or self.causality.conflicts(step) & self.events:
            return False
        return not (races(step, late) and (self.events >> number & 1 or not self.certain))

    def _first(self, actor: int) -> int:
        """The first of the events of `actor`, as a mask."""
        late, late_actor, _ = self.late
        own = self.causality.events(actor) & self.events
        if not own and actor == late_actor:
            own = self.events & 1 << late
        return own & -own

    def _outcome(self, number: int) -> int:
        """All outcomes of a step that comes earlier than it did are new."""
        return 0 if number == self.late[0] else self.execution.outcomes[number]
