"""Which races of a run can be reversed, and who would have to go first to reverse them.

A race (e, p) is worth reversing if p could run at the point before e, once all that does not depend on e ran. For a
step that can be blocked this is read from the recorded offers; where they cannot tell, both answers are tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from actors.runtime.causality import Causality
from actors.runtime.execution import Execution
from actors.runtime.step import Step


@dataclass(frozen=True, slots=True)
class Reversal:
    """Before event `event`, one of the actors of the mask `initials` must be tried; `actor` does as well as any."""

    event: int
    initials: int
    actor: int


class Races:
    """Finds the reversals of one run; the events that `causality` holds are those before the step in question."""

    __slots__ = ("_at_rest", "_causality", "_execution")

    def __init__(self, causality: Causality, execution: Execution, at_rest: bool) -> None:
        self._causality = causality
        self._execution = execution
        self._at_rest = at_rest  # whoever waits at the end of the run is blocked there

    def of(self, actor: int, step: Step) -> Iterator[Reversal]:
        """The reversals of the races between `step` of `actor`, the next event, and earlier events."""
        past = self._causality.past
        mine = self._causality.before(actor)
        rest = self._causality.conflicts(step) & ~mine
        if not rest:
            return
        if step.ready is None:
            # What it takes it cannot do without, so nothing before that can come after it.
            covered = self._causality.closure(mine, self._causality.givers(step))
            rest &= ~covered
            while rest:
                event = rest.bit_length() - 1
                covered |= past[event]
                rest &= ~covered
                yield from self._reverse(event, actor, step, mine, self._unordered(event))
            return
        rest &= ~self._waited_for(actor)
        while rest:
            event = rest.bit_length() - 1
            others = self._unordered(event)
            possible = self._could_run(event, actor, step, others)
            if possible is not False:
                yield from self._reverse(event, actor, step, mine, others)
            if possible:
                rest &= ~past[event]
                continue
            rest ^= 1 << event
            # p may also have to go before something else that keeps it blocked.
            if others & ~mine and self._could_run(event, actor, step, others & mine) is not False:
                yield from self._reverse(event, actor, step, mine, others & mine)

    def _waited_for(self, actor: int) -> int:
        """The stores before which the next event, a poll, cannot go: all that writes its word races with them, so that
        the word then is what it was when they overwrote it, and that was not what the poll waits for."""
        execution, index = self._execution, len(self._causality.past)
        performed = index < len(execution.actors) and execution.actors[index] == actor
        return execution.world.waited_for.get(index, 0) if performed else 0

    def _unordered(self, event: int) -> int:
        """The events after `event` that do not depend on it."""
        found = 0
        past = self._causality.past
        for later in range(event + 1, len(past)):
            if not past[later] >> event & 1:
                found |= 1 << later
        return found

    def _could_run(self, event: int, actor: int, step: Step, others: int) -> bool | None:
        """Whether the blocking `step` could run before `event` and after `others`; None if the run cannot tell.

        It can if, at some time, all that could change the answer had come that comes here too, and nothing else of it:
        then whether the step was offered is the answer.
        """
        causality, execution = self._causality, self._execution
        changes = causality.changes(step)
        if not others & (causality.conflicts(step) | changes) and execution.steps[event].ready == step.ready:
            return True  # what lets the one run lets the other run
        before = changes & ((1 << event) - 1 | others)
        after = changes & ~before
        first = max(before.bit_length(), causality.last(actor) + 1)
        last = (after & -after).bit_length() - 1 if after else len(causality.past)
        if first > last:
            return None
        if last < len(execution.offers):
            return actor in execution.offers[last]
        return False if self._at_rest else None

    def _reverse(self, event: int, actor: int, step: Step, mine: int, others: int) -> Iterator[Reversal]:
        """Who can begin the sequence `others`, then `step` of `actor`, at the point before `event`."""
        causality, execution = self._causality, self._execution
        past, actors = causality.past, execution.actors
        offered = execution.offers[event]
        initials, first = 0, -1
        rest = others
        while rest:
            low = rest & -rest
            number = low.bit_length() - 1
            if past[number] & others == low:
                initials |= 1 << actors[number]
                if first < 0:
                    first = actors[number]
            rest ^= low
        before = causality.closure(mine, causality.givers(step) | (causality.conflicts(step) & others))
        if not before & others and actor in offered:
            initials |= 1 << actor
            first = actor
        if first >= 0:
            yield Reversal(event, initials, first)
