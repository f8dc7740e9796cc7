"""One run as it happens: what is pending, what is offered, what was chosen, and how it ended.

All drivers share it: they differ only in how they resume an actor, and (live) in who chooses.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..primitives.audit import FootprintError
from ..primitives.events import ENDLESS, Finding, Outcome
from ..primitives.step import ANYTHING, FINISHED, Done, MemoryStep, Step
from ..world import World
from . import endings
from .lasso import FAIR_STEPS, Again, Tail
from .record import Record
from .schedule import AGAIN, FAIR
from .scheduler import Scheduler

Resume = Sequence[Callable[[int], object]]
"""For each actor what performs its step and returns what it then announces."""
Settle = Callable[["Execution", int, object], Step | Done]
"""What an actor announced, should it be no plain step."""


class Execution(Record):
    """One run as it goes on; nothing but a runner may change it.

    Who can go is kept from step to step, as a mask. A condition is asked when its step is announced, and again after
    a step that wrote or gave something of what it looks at. If nobody can, those are offered whose wait times out.
    """

    __slots__ = (
        "_again",
        "_beyond",
        "_bound",
        "_can",
        "_changed",
        "_conditional",
        "_finished",
        "_looked_at",
        "_tail",
        "scheduler",
        "sees_every_step",
    )

    def __init__(self, world: World, scheduler: Scheduler, to_the_end: bool = False) -> None:
        super().__init__(world, to_the_end)
        self.scheduler = scheduler
        self._bound = min(world.step_bound, world.stop_at)
        self._can = 0
        self._conditional: dict[int, Step] = {}  # who has announced a step with a condition
        self._looked_at = 0  # what those conditions look at, and perhaps more
        self._changed = 0  # what was written or given since they were asked
        self._tail: Tail | Again | None = None  # everybody in turn, once the scheduler has no more to say
        self._again: Again | None = None  # the circle that was begun
        self._beyond: Finding | None = None  # that the bound was reached; the tail is there to say more than that
        self._finished = False
        self.sees_every_step = getattr(scheduler, "sees_every_step", False)
        """Whether the scheduler is asked also where there is only one option."""
        world.session.steps, world.session.actors = self.steps, self.actors
        world.is_full = world.is_racing = True

    @property
    def is_in_turn(self) -> bool:
        """Whether the run is in its tail, where nothing is chosen."""
        return self._tail is not None

    def offer(self) -> tuple[int, ...] | None:
        """Who could go now; None when the run is over (and then `outcome` says how)."""
        if self._changed & self._looked_at:
            self._ask()
        session = self.world.session
        if session.audit:
            self._check_conditions()
        can = self._can or self._late()
        if self.outcome is None and not (can and self.index < self._bound):
            self._conclude(bool(can))
        if self.outcome is not None:
            return None
        return session.offers.get(can) or session.offer(can)

    def next(self) -> int | None:
        """Let the scheduler choose who goes next and record it; None when the run is over."""
        offered = self.offer()
        if offered is None:
            return None
        while self._tail is None:
            is_forced = len(offered) == 1 and not self.sees_every_step
            actor = offered[0] if is_forced else self.scheduler.choose(offered, False)
            if actor < AGAIN:
                self.commit(actor, offered)
                return actor
            self.choices.append(actor)
            self._leave(actor)
        loop = self._tail.look(self)
        if loop is not None:
            self._cut(loop.start + loop.length)
            self._finish(loop.finding(self))
            return None
        actor, outcome = self._tail.turn(self, offered)
        self._record(actor, offered, outcome)
        return actor

    def drive(self, resume: Resume, settle: Settle, join: Callable[[Execution], None]) -> None:
        """Turn after turn as `next` and `arrive` do them, only faster.

        It ends where they have more to say: at the end of the run, at its bound, at the beginning of its tail. One
        loop for both would make every search slower: runners that hand a step to somebody else need the two halves of
        a turn apart, and what is audited lies between them. So every audited run is made both ways and compared
        (`commute.audit`).
        """
        while self.outcome is None:
            if self._changed & self._looked_at:
                self._ask()
            last = self._plain_turns(resume)
            if last is None:
                return
            actor, arrival = last
            self.arrive(actor, settle(self, actor, arrival))
            self.world.alert = False
            join(self)

    def _plain_turns(self, resume: Resume) -> tuple[int, object] | None:
        """The hot loop of every search, up to a turn after which an actor does more than announce a step or be done."""
        world, session, choose, choices = self.world, self.world.session, self.scheduler.choose, self.choices
        actors, steps, offers, outcomes, known = self.actors, self.steps, self.offers, self.outcomes, session.offers
        pending: list[Any] = self.pending
        conditional: dict[int, Any] = self._conditional
        can, looked_at, index, bound, special = self._can, self._looked_at, self.index, self._bound, None
        while can and index < bound:
            offered = known.get(can) or session.offer(can)
            actor, outcome = offered[0], 0
            if can & (can - 1):
                actor = choose(offered, False)
                choices.append(actor)
                if actor >= AGAIN:
                    self._leave(actor)
                    break
            step = pending[actor]
            if (options := step.options) > 1:
                outcome = choose(range(options), True)
                choices.append(outcome)
            if step.ready is not None:
                del conditional[actor]
            actors.append(actor)
            steps.append(step)
            offers.append(offered)
            outcomes.append(outcome)
            world.index, world.current = index, actor
            arrival: Any = resume[actor](outcome)
            if (type(arrival) is Step or type(arrival) is MemoryStep) and not world.alert:
                if arrival.ready is not None:
                    conditional[actor] = arrival
                    looked_at |= arrival.wakes
                    if not arrival.ready():
                        can ^= 1 << actor
            elif arrival is FINISHED and not world.alert:
                self.live.remove(actor)
                can ^= 1 << actor
                arrival = None
            else:
                special = actor, arrival
                break
            self.index = index = index + 1
            pending[actor] = arrival
            step = steps[-1]  # by now what became of it
            if (changed := step.writes | step.gives) & looked_at:
                for number, waiting in conditional.items():
                    if waiting.wakes & changed:
                        can = can | 1 << number if waiting.ready() else can & ~(1 << number)
        self._can, self._changed, self._looked_at = can, 0, looked_at
        return special

    def commit(self, actor: int, offered: tuple[int, ...]) -> None:
        """Record that `actor`, one of `offered`, goes now; its outcome is drawn if it has one."""
        if len(offered) > 1:
            self.choices.append(actor)
        step, outcome = self.pending[actor], 0
        assert step is not None
        if (options := step.options) > 1:
            outcome = self.scheduler.choose(range(options), True)
            self.choices.append(outcome)
        self._record(actor, offered, outcome)

    def may_go(self, number: int) -> bool:
        """Whether an actor can take its step now."""
        step = self.pending[number]
        assert step is not None
        return step.ready is None or step.ready() or (step.times_out and number in (self.offer() or ()))

    def _record(self, actor: int, offered: tuple[int, ...], outcome: int) -> None:
        world, step = self.world, self.pending[actor]
        assert step is not None
        if step.ready is not None:
            del self._conditional[actor]
        if not self._can:
            step = step.late()
            if world.violation is None:
                world.violation = endings.soft_lockup(self, step)
        self.actors.append(actor)
        self.steps.append(step)
        self.offers.append(offered)
        self.outcomes.append(outcome)
        world.index = self.index
        world.current = actor
        if world.session.audit:
            self._audit_condition(actor, step)

    def arrive(self, actor: int, arrival: Step | Done) -> None:
        """`actor` performed its step and now announces the next one, or is done."""
        self.index += 1
        world, performed = self.world, self.steps[-1]
        world.session.performed = None
        if isinstance(arrival, Step):
            self.pending[actor] = arrival
            if arrival.ready is not None:
                self._watch(actor, arrival)
            else:
                self._can |= 1 << actor
        else:
            self.pending[actor] = None
            self.live.remove(actor)
            self._can &= ~(1 << actor)
            if arrival.error is not None:
                self._finish(endings.raised(self, actor, arrival.error))
        self._changed = performed.writes | performed.gives
        self._listen()

    def join(self, arrival: Step | Done) -> None:
        """A new actor (number `len(pending)`) announces its first step."""
        number = len(self.pending)
        self.born.append(self.index)
        # What it did before its first step belongs to no step: everybody is asked again.
        self._changed = ANYTHING
        if isinstance(arrival, Step):
            self.pending.append(arrival)
            self.live.append(number)
            if arrival.ready is not None:
                self._conditional[number] = arrival
                self._looked_at |= arrival.wakes
            else:
                self._can |= 1 << number
        else:
            self.pending.append(None)
            if arrival.error is not None:
                self._finish(endings.raised(self, number, arrival.error))

    def _listen(self) -> None:
        """Take up what oracles say of the last step, and what is wrong with the scenario."""
        world = self.world
        if world.violation is not None and self.finding is None:
            self._finish(endings.violated(self, *world.violation))
        if world.broken is not None and self.finding is None:
            self._finish(world.broken)

    def conclude(self) -> None:
        """The run is over, and its world is gone: keep what only that has shown.

        Whoever waits may do so because it cannot be ended, so that counts for more than a deadlock.
        """
        broken = self.world.broken
        if broken is not None and self.outcome in (Outcome.QUIET, Outcome.DEADLOCK):
            self.finding, self.failing, self.outcome = broken, self.schedule, broken.outcome

    def finish(self) -> None:
        """Tell the scheduler that its part of the run is over; it is told once."""
        if not self._finished:
            self._finished = True
            self.scheduler.finish()

    def _watch(self, actor: int, step: Step) -> None:
        """Ask the condition of a step that was announced now, and have it asked again when it may have changed."""
        self._conditional[actor] = step
        self._looked_at |= step.wakes
        assert step.ready is not None
        self._can = self._can | 1 << actor if step.ready() else self._can & ~(1 << actor)

    def _ask(self) -> None:
        """Ask the conditions that look at what was changed."""
        changed, can, looked_at = self._changed, self._can, 0
        conditional: dict[int, Any] = self._conditional
        for number, step in conditional.items():
            looked_at |= step.wakes
            if step.wakes & changed:
                can = can | 1 << number if step.ready() else can & ~(1 << number)
        self._can, self._changed, self._looked_at = can, 0, looked_at

    def _late(self) -> int:
        """Whose wait times out, as nobody can go: none if all that is left are daemons with nothing to do."""
        waits = {number: step for number, step in self._conditional.items() if step.times_out}
        if not waits or not endings.stuck(self):
            return 0
        return sum(1 << number for number in waits)

    def _conclude(self, can: bool) -> None:
        """Nobody can go, or nobody may: the run is over, unless what it does beyond its bound is to be seen."""
        if not can:
            self._come_to_rest()
        elif self._beyond is not None and self.index < min(self._beyond.step + FAIR_STEPS, self.world.stop_at):
            return
        elif self._beyond is None and self.finding is None and self.index < self.world.stop_at:
            self._beyond = endings.at_bound(self)
            self._begin_tail()
        else:
            self._finish(endings.at_bound(self))

    def _come_to_rest(self) -> None:
        self._check_conditions()
        self._listen()
        if self.finding is None:
            finding = endings.at_rest(self) or self.world.broken or self._beyond
            if finding is None:
                self.outcome = Outcome.QUIET
            else:
                self._finish(finding)
        if self.finding is not None:
            self.outcome = self.finding.outcome

    def _leave(self, choice: int) -> None:
        """The scheduler begins a circle, or has no more to say."""
        if choice == FAIR:
            self._begin_tail()
        elif self._again is None:
            self._again = Again(self)
        else:
            self.finish()
            self._again.close(self)
            self._tail = self._again

    def _begin_tail(self) -> None:
        """From here on everybody goes in turn: a run that goes round in circles then is a livelock."""
        self.finish()
        self._tail = self._tail or Tail(self)

    def _finish(self, finding: Finding) -> None:
        if self._beyond is not None and finding.outcome is not Outcome.LIVELOCK:
            finding = self._beyond  # the run was to be no longer, so what else it does there does not count
            self._cut(finding.step)
        if self.finding is None:
            self.finding = finding
            self.failing = self.schedule
        if finding.outcome in ENDLESS:
            self.outcome = finding.outcome  # whatever was found before: this run says nothing about what is beyond
        elif not self.to_the_end:
            self.outcome = self.finding.outcome

    def _cut(self, length: int) -> None:
        """Forget what was done in all but the first `length` steps."""
        for record in (self.actors, self.steps, self.offers, self.outcomes):
            del record[length:]
        events = self.world.events
        while events and events[-1][0] >= length:
            events.pop()
        self.index = length

    def _check_conditions(self) -> None:
        """Whoever can go must be known to: else a step decides what another one's condition looks at, and one of the
        two does not declare it."""
        able = 0
        for number in self.live:
            step = self.pending[number]
            assert step is not None
            if step.ready is None or step.ready():
                able |= 1 << number
        if wrong := able ^ self._can:
            self._finish(endings.undeclared(self, (wrong & -wrong).bit_length() - 1))

    def _audit_condition(self, actor: int, step: Step) -> None:
        """A condition may look only at what its step declares."""
        self.world.session.performed = step
        try:
            if step.ready is not None:
                step.ready()
        except FootprintError as error:
            self._finish(endings.raised(self, actor, error))
