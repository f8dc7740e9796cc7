"""Which races of a run can be reversed.

A race (e, p) is worth reversing if p could run at the point before e, once all that does not depend on e ran. For a
step that can be blocked this is read from the recorded offers; where they cannot tell, both answers are tried.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from actors.runtime.causality import Causality, bits
from actors.runtime.execution import Execution
from actors.runtime.step import ANYTHING, Step

from .lineage import Lineages
from .reversal import Late, Reversal, planned
from .wakeup import Move


class Races:
    """Finds the reversals of one run, all of whose events `causality` holds."""

    __slots__ = ("_at_rest", "_causality", "_execution", "_later", "_lineages", "_moves", "_own")

    def __init__(self, causality: Causality, execution: Execution, lineages: Lineages, at_rest: bool) -> None:
        self._causality = causality
        self._execution = execution
        self._lineages = lineages
        self._at_rest = at_rest  # whoever waits at the end of the run is blocked there
        self._later: dict[int, int] = {}
        self._own: dict[int, list[int]] = {}
        for event, actor in enumerate(execution.actors[: len(causality.past)]):
            self._own.setdefault(actor, []).append(event)
        self._moves: Sequence[Move] = ()

    def of(self, number: int, actor: int, step: Step) -> Iterator[Reversal]:
        """The reversals of the races of `step` of `actor`, which is or would be event `number`, with earlier events."""
        causality, past, earlier = self._causality, self._causality.past, (1 << number) - 1
        mine = causality.before(actor, earlier)
        if number < len(past) and past[number] == mine | 1 << number:
            return
        rest = causality.conflicts(step) & earlier & ~mine
        if not rest:
            return
        late = number, actor, step
        if step.ready is None:
            # What it takes it cannot do without, so nothing before that can come after it.
            covered = causality.closure(mine, causality.givers(step) & earlier)
            rest &= ~covered
            while rest:
                event = rest.bit_length() - 1
                covered |= past[event]
                rest &= ~covered
                yield from self._reverse(event, late, certain=True)
            return
        rest &= ~self._waited_for(number)
        while rest:
            event = rest.bit_length() - 1
            others = self._unordered(event) & earlier
            possible = self._could_run(event, late, others)
            if possible is not False:
                yield from self._reverse(event, late, certain=bool(possible))
            if possible:
                rest &= ~past[event]
                continue
            rest ^= 1 << event
            # p may also have to go before something else that keeps it blocked.
            if others & ~mine:
                possible = self._could_run(event, late, others & mine)
                if possible is not False:
                    yield from self._reverse(event, late, certain=bool(possible), within=mine)

    def _waited_for(self, number: int) -> int:
        """The events before which event `number` cannot go: all that changes what it waits for races with them, so that
        it would find what they found, and that was not what it waits for."""
        return self._execution.world.waited_for.get(number, 0) if number < len(self._causality.past) else 0

    def _unordered(self, event: int) -> int:
        """The events after `event` that do not depend on it."""
        found = self._later.get(event)
        if found is None:
            found, past, bit = 0, self._causality.past, 1 << event
            for actor, own in self._own.items():
                if own[-1] > event:
                    # Of an actor all that comes after the first event that depends on it does so too.
                    first = bisect_left(own, 1, bisect_right(own, event), key=lambda later: int(past[later] & bit > 0))
                    before = (1 << own[first]) - 1 if first < len(own) else ANYTHING
                    found |= self._causality.events(actor) & before
            found = self._later[event] = found & -bit & ~bit
        return found

    def _all_moves(self) -> Sequence[Move]:
        """The steps of the run; made once, when a reversal is first planned."""
        if not self._moves:
            execution, lineage = self._execution, self._lineages.of
            length = len(self._causality.past)
            run = zip(execution.actors[:length], execution.outcomes, map(planned, execution.steps), strict=False)
            self._moves = [
                Move(lineage(actor), actor, outcome, step.reads, step.writes) for actor, outcome, step in run
            ]
        return self._moves

    def _could_run(self, event: int, late: Late, others: int) -> bool | None:
        """Whether the blocking step could run before `event` and after `others`; None if the run cannot tell.

        It can if, at some time, all that could change the answer had come that comes here too, and nothing else of it:
        then whether the step was offered is the answer.
        """
        causality, execution, (number, actor, step) = self._causality, self._execution, late
        earlier = (1 << number) - 1
        changes = causality.changes(step) & earlier
        if not others & (causality.conflicts(step) | changes) and execution.steps[event].ready == step.ready:
            return True  # what lets the one run lets the other run
        before = changes & ((1 << event) - 1 | others)
        after = changes & ~before
        first = max(before.bit_length(), (causality.events(actor) & earlier).bit_length())
        until = (after & -after).bit_length() - 1 if after else number
        if first > until:
            return None
        if until < len(execution.offers):
            return actor in execution.offers[until]
        return False if self._at_rest else None

    def _reverse(self, event: int, late: Late, *, certain: bool, within: int = ANYTHING) -> Iterator[Reversal]:
        """The reversal, if anybody can go first; what is not `within` a mask must not change whether the step can."""
        causality, execution, (number, actor, step) = self._causality, self._execution, late
        earlier = (1 << number) - 1
        events = self._unordered(event)
        if within != ANYTHING:
            hinder = (causality.conflicts(step) | causality.changes(step)) & earlier & ~within
            events = self._without(events, events & hinder)
        mine = causality.before(actor, earlier)
        if step.announced is not None:
            # Before `event` it may come to touch other things, and race with any of the rest: all that comes first.
            number, step = len(causality.past), step.announced
            earlier = (1 << number) - 1
        causes = causality.givers(step) | causality.conflicts(step) & events
        causes = causality.closure(mine, causes & earlier)
        if not causes & events and actor not in execution.offers[event]:
            causes |= events & earlier  # it waits for some of them
            if not causes & events:
                return
        late, events = (number, actor, step), events | 1 << number
        yield Reversal(causality, execution, self._lineages, self._all_moves, event, late, causes, events, certain)

    def _without(self, events: int, hinder: int) -> int:
        """Those of `events` that depend on none of `hinder`."""
        past = self._causality.past
        return sum(event for event in bits(events) if not past[event.bit_length() - 1] & hinder)
