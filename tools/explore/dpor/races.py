"""Which races of a run can be reversed, and what is to be tried where the run cannot tell.

A race (e, x) is worth reversing if x could run at the point before e, once all that does not depend on e ran. A step
without a condition could. One with a condition could for certain if e has the same condition, or if the recorded offers
say so and nothing else that does not depend on e changes the answer. Else there is an *attempt*: if x *needs* steps
after e to be announced at all, one of those has to be tried first; if it waits already, whoever can go may be the one
who lets x go, and everybody is tried, unless all that could let x go conflicts with e itself. From the first attempt on
a search plans who goes first, and no more (`Stack.by_first`); before, it is optimal DPOR, which knows of no blocking.

Why such a search misses nothing. Claim: when a point is left, then for each sequence v that is possible there,
somebody who was tried or slept there is first in v (his step is in v, and conflicts with none before it), or somebody
who was tried conflicts with nothing in v. Behind whom was tried the same is said of the rest of v, or of v with less
of the run ahead; who slept was tried further up, and v with what came since was possible behind his step. So every run
is made, but for the order of independent steps. By induction over the points in the order in which they are left:
suppose that v disproves it. Each d who was tried conflicts with some first step x of v, which comes behind the steps w;
take a d with the longest w. Nobody who sleeps behind d is first in w, as he would be first in v. So runs with d and w
are made behind d, also one that then goes on with x if that is possible, and in them x is announced. (Its actor does
not sleep at the end of all: it was tried then, in such a run that was made before.) There (d, x) is looked at.

* It is reversed. Somebody f was tried who is first among what does not depend on d, or x is. If f is in w or is x, it
  is first in v. Else f does not conflict with w; nor with x, if x comes right behind w, or has the condition of d: then
  w of f is longer. If x cannot come there because of d, f does not change whether it can; so take f for d, and it does.
* It is attempted with needs. These are in w, for x comes behind w. Who was tried is first in v, or has a longer w.
* It is attempted without. Everybody was tried, also who is first in v.
* Nothing is tried: x cannot go at the point, and what lets it go conflicts with d. But w lets it go, and does not.
* It is passed over, since x was reversed with a step e that depends on d. Without e, x comes as well; take that run.

What was left out before the first attempt, because of somebody who slept and did not matter to it, had been planned to
its end where he was tried, and that point had been left: had it needed an attempt, that would have been the first.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from actors.runtime.primitives.step import ANYTHING, Step
from actors.runtime.runs.causality import Causality
from actors.runtime.runs.record import Record

from .lineage import Lineages
from .reversal import Late, Reversal
from .wakeup import Move


class Races:
    """Finds the reversals of one run, all of whose events `causality` holds."""

    __slots__ = ("_at_rest", "_causality", "_execution", "_later", "_lineages", "_moves", "_own")

    def __init__(self, causality: Causality, execution: Record, lineages: Lineages, at_rest: bool) -> None:
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
                yield from self._reverse(event, late)
            return
        rest &= ~self._waited_for(number)
        while rest:
            event = rest.bit_length() - 1
            others = self._unordered(event) & earlier
            if self._is_certain(event, late, others, others & mine):
                yield from self._reverse(event, late)
                rest &= ~past[event]
            else:
                yield from self._attempt(event, late, others, others & mine)
                rest ^= 1 << event

    def _is_certain(self, event: int, late: Late, others: int, needs: int) -> bool:
        """Whether the blocking step could run before `event`, whichever of the others come with it."""
        number, _, step = late
        causality, earlier = self._causality, (1 << number) - 1
        if self._execution.steps[event].ready == step.ready:
            return True  # what lets the one run lets the other run, and none of the others can have stopped that one
        if others & ~needs & causality.changes(step) & earlier:
            return False
        return self._could_run(event, late, needs) is True

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
            run = zip(execution.actors[:length], execution.outcomes, execution.steps, strict=False)
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
        before = changes & ((1 << event) - 1 | others)
        after = changes & ~before
        first = max(before.bit_length(), (causality.events(actor) & earlier).bit_length())
        until = (after & -after).bit_length() - 1 if after else number
        if first > until:
            return None
        if until < len(causality.past):
            return actor in execution.offers[until]
        return False if self._at_rest else None

    def _reverse(self, event: int, late: Late) -> Iterator[Reversal]:
        """The reversal, if anybody can go first."""
        causality, execution, (number, actor, step) = self._causality, self._execution, late
        earlier = (1 << number) - 1
        events = self._unordered(event)
        causes = causality.givers(step) | causality.conflicts(step) & events
        causes = causality.closure(causality.before(actor, earlier), causes & earlier)
        if not causes & events and actor not in execution.offers[event]:
            causes |= events & earlier  # it waits for some of them
            if not causes & events:
                return
        events |= 1 << number
        yield Reversal(causality, execution, self._lineages, self._all_moves, event, late, causes, events)

    def _attempt(self, event: int, late: Late, others: int, needs: int) -> Iterator[Reversal]:
        """What is to be tried lest the blocking step could have come before `event`."""
        causality, execution, (number, actor, step) = self._causality, self._execution, late
        if not needs and actor not in execution.offers[event]:
            races_with = execution.steps[event].reads | execution.steps[event].writes
            if not step.wakes & ~((step.reads | step.writes) & races_with):
                return  # whoever lets it go races with `event` himself
        events = others
        if self._could_run(event, late, others) is not False:
            events |= 1 << number
        yield Reversal(causality, execution, self._lineages, self._all_moves, event, late, others, events, needs)
