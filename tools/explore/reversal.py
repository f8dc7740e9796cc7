"""A race of a run turned round: the sequence of steps that is to be tried before the earlier of its two events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from actors.runtime.causality import Causality
from actors.runtime.execution import Execution
from actors.runtime.step import Step, races

from .lineage import Lineages
from .wakeup import Branch, Move, Sequel, Tree

Late = tuple[int, int, Step]
"""The later step of a race: the number of the event that it is or would be, its actor, and itself."""


def planned(step: Step) -> Step:
    """A performed step as it is planned: as it was announced if another outcome may touch something else."""
    return step if step.announced is None or step.options < 2 else step.announced


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
    certain: bool = False
    """Whether it is known to be possible."""

    def begins_with(self, actor: int, step: Step | None) -> bool:
        """Whether `actor` may as well go first of all: its step begins the sequence, or does not matter to it.

        `step` is what it came to touch there, None if that is what it announced.
        """
        if step is not None and self._first(actor) == 1 << self.late[0]:
            return not self.causality.conflicts(step) & self.events
        return self._begins(actor, step or self.execution.next_step(actor, self.event))

    def initials(self) -> int:
        """Those whose step comes first in the sequence, or could, as a mask of actors."""
        offered = self.execution.offers[self.event]
        return sum(1 << actor for actor in offered if self._first(actor) and self._begins(actor, None))

    def insert(self, tree: Tree) -> None:
        """See to it that the sequence is tried: it is already if all of a branch of `tree` may go first."""
        while self.events:
            branch = self._take_first(tree)
            if branch is None:
                tree.extend(self.chain())
                return
            if not branch.rest:
                return
            tree = branch.rest

    def chain(self) -> Tree:
        """The sequence as a tree."""
        number, actor, step = self.late
        late = Move(self.lineages.of(actor), actor, 0, step.reads, step.writes)
        return Sequel(self.moves(), number, late, self.certain).tree(self.events)

    def _take_first(self, tree: Tree) -> Branch | None:
        """The branch that may go first; the sequence is what is left of it then."""
        for branch in tree:
            actor = self.lineages.number(branch.lineage)
            first = self._first(actor)
            if first and self._outcome(first.bit_length() - 1) != branch.outcome:
                continue
            # If what else may go first is impossible, then nothing of it is tried.
            if (first or branch.certain) and self._begins(actor, branch.step):
                self.events ^= first
                return branch
        return None

    def _begins(self, actor: int, step: Step | None) -> bool:
        """Whether `step`, the next of `actor`, is one of the first steps, or races with none of the sequence."""
        late, _, late_step = self.late
        first = self._first(actor)
        if first:
            if first == 1 << late:
                return not self.causes & self.events & ~first
            number = first.bit_length() - 1
            causes = self.causality.past[number]
            performed = self.execution.steps[number]
            if (step := planned(performed)) is not performed:
                causes |= self.causality.conflicts(step)
            return not causes & self.events & first - 1
        if step is None or self.causality.conflicts(step) & self.events:
            return False
        return not (self.events >> late & 1 and races(step, late_step))

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
