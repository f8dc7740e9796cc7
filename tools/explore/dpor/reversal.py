"""A race of a run turned round: the sequence of steps that is to be tried before the earlier of its two events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.primitives.step import Step, races
from actors.runtime.runs.causality import Causality
from actors.runtime.runs.record import Record

from .lineage import Lineages
from .wakeup import Branch, Move, Sequel, Tree

Late = tuple[int, int, Step]
"""The later step of a race: the number of the event that it is or would be, its actor, and itself."""


@dataclass(slots=True, eq=False)
class Reversal:
    """`late` before event `event` of a run, amid `events` that do not depend on that."""

    causality: Causality
    execution: Record
    lineages: Lineages
    moves: Callable[[], Sequence[Move]]
    """The steps of the run."""
    event: int
    late: Late
    causes: int
    """What must come before `late`: a mask, like all sets of events here."""
    events: int
    """The sequence, in the order in which its events came, `late` among them; `insert` takes away from it."""
    needs: int | None = None
    """None if it is known that `late` can go there. Else those of the events without which it is not even announced:
    they are planned first."""

    def begins_with(self, actor: int) -> bool:
        """Whether `actor` may as well go first of all: its step begins the sequence, or does not matter to it."""
        return self._begins(actor, self.execution.next_step(actor, self.event))

    def initials(self) -> int:
        """Those whose step comes first in the sequence, or could, as a mask of actors.

        Whoever might keep a `late` from going that need not come after it is none of them.
        """
        offered, step = self.execution.offers[self.event], self.late[2]
        hinder = 0 if self.needs is None else self.causality.conflicts(step) & ~self.needs
        firsts = ((1 << actor, self._first(actor)) for actor in offered)
        return sum(bit for bit, first in firsts if first and not first & hinder and self._is_first(first))

    def everybody(self) -> int:
        """Who can go at the point before `event`, as a mask."""
        return sum(1 << actor for actor in self.execution.offers[self.event])

    def alone(self, actor: int) -> Tree:
        """The next step of `actor`, after which any order will do."""
        return [Branch(actor, self.lineages.of(actor), 0, self.execution.next_step(actor, self.event))]

    def insert(self, tree: Tree) -> None:
        """See to it that the sequence is tried: it is already if all of a branch of `tree` may go first."""
        while self.events:
            branch = self._take_first(tree)
            if branch is None:
                tree.extend(self.chain())
                return
            if not branch.rest:
                return  # any order will do there
            tree = branch.rest

    def chain(self) -> Tree:
        """The sequence as a tree."""
        number, actor, step = self.late
        late = Move(self.lineages.of(actor), actor, 0, step.reads, step.writes)
        return Sequel(self.moves(), number, late, self.needs or 0).tree(self.events)

    def _take_first(self, tree: Tree) -> Branch | None:
        """The branch that may go first; the sequence is what is left of it then."""
        for branch in tree:
            actor = self.lineages.number(branch.lineage)
            first = self._first(actor)
            if first and self._outcome(first.bit_length() - 1) != branch.outcome:
                continue
            if self._begins(actor, branch.step):
                self.events ^= first
                return branch
        return None

    def _begins(self, actor: int, step: Step | None) -> bool:
        """Whether `step`, the next of `actor`, is one of the first steps, or races with none of the sequence."""
        first = self._first(actor)
        if first:
            return self._is_first(first)
        late, _, late_step = self.late
        if step is None or self.causality.conflicts(step) & self.events:
            return False
        return not (self.events >> late & 1 and races(step, late_step))

    def _is_first(self, event: int) -> bool:
        """Whether nothing of the sequence comes before an event of it, which is given as a mask."""
        causes = self.causes if event == 1 << self.late[0] else self.causality.past[event.bit_length() - 1]
        return not causes & self.events & ~event

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
