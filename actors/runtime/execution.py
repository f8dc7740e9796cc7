"""One run as it happens: what is pending, what is offered, what was chosen, and how it ended.

All drivers share it: they differ only in how they resume an actor, and (live) in who chooses.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from .audit import FootprintError
from .events import Finding, Outcome, Violation, oracle_name
from .step import Step

if TYPE_CHECKING:
    from .schedule import Schedule, Scheduler
    from .world import World


class Abandoned(BaseException):
    """Thrown into the actors of a run that is over; an actor must let it pass."""


class Done:
    """What a driver reports when an actor returned (`error` is None) or raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class Execution:
    """The state and the record of one run.

    `actors`, `steps`, `offers` and `outcomes` have one item a step: who, what, who could have, and which outcome
    hardware took (0 where it had no choice). `choices` is the schedule: only where there was more than one option.
    A finding ends the run, unless it is taken `to_the_end`: then the first finding is kept and the others go on, as
    exhaustive search needs it (a run that is cut short hides the races of what it did not reach).
    """

    __slots__ = (
        "actors",
        "choices",
        "failing",
        "finding",
        "index",
        "live",
        "offers",
        "outcome",
        "outcomes",
        "pending",
        "scheduler",
        "since",
        "steps",
        "to_the_end",
        "world",
    )

    def __init__(self, world: World, scheduler: Scheduler, to_the_end: bool = False) -> None:
        self.world = world
        self.scheduler = scheduler
        self.to_the_end = to_the_end
        self.pending: list[Step | None] = []
        self.live: list[int] = []
        """Who is not done, in order of their numbers."""
        self.since: list[int] = []
        self.actors: list[int] = []
        self.steps: list[Step] = []
        self.offers: list[list[int]] = []
        self.outcomes: list[int] = []
        self.choices: list[int] = []
        self.index = 0
        self.finding: Finding | None = None
        self.failing: Schedule | None = None  # the choices up to the finding: a recording of it
        self.outcome: Outcome | None = None

    @property
    def schedule(self) -> Schedule:
        """The choices so far, as a value."""
        return tuple(self.choices)

    def enabled(self) -> list[int]:
        """The actors whose next step can be taken now, in order of their numbers."""
        pending = self.pending
        steps = [(number, pending[number]) for number in self.live]
        return [number for number, step in steps if step is not None and (step.ready is None or step.ready())]

    def offer(self) -> list[int] | None:
        """Who could go now; None when the run is over (and then `outcome` says how)."""
        if self.outcome is not None:
            return None
        offered = self.enabled()
        if not offered:
            if self.finding is None:
                self._come_to_rest()
            if self.finding is not None:
                self.outcome = self.finding.outcome
            return None
        if self.index >= self.world.step_bound:
            self._reach_bound()
            return None
        return offered

    def next(self) -> int | None:
        """Let the scheduler choose who goes next and record it; None when the run is over.

        The hot path of every search: what `offer` does, without the calls.
        """
        last = self.steps[-1] if self.steps else None
        if last is not None and not last.writes and not last.gives:
            offered = self._offered_after_look()
        else:
            pending = self.pending
            offered = []
            for number in self.live:
                ready = pending[number].ready  # type: ignore[union-attr]  # who is live has a step
                if ready is None or ready():
                    offered.append(number)
        if not offered or self.outcome is not None or self.index >= self.world.step_bound:
            self.offer()
            return None
        actor = offered[0] if len(offered) == 1 else self.scheduler.choose(offered, False)
        self.commit(actor, offered)
        return actor

    def _offered_after_look(self) -> list[int]:
        """Who could go now, after a step that changed nothing: as before, but for whoever took it."""
        offered = self.offers[-1].copy()
        actor = self.actors[-1]
        offered.remove(actor)
        step = self.pending[actor]
        if step is not None and (step.ready is None or step.ready()):
            insort(offered, actor)
        if self.world.session.audit and offered != self.enabled():
            what = self.steps[-1].what
            self._fail(actor, FootprintError(f"step `{what}` lets others go or stops them: it declares no write"))
        return offered

    def commit(self, actor: int, offered: list[int]) -> None:
        """Record that `actor`, one of `offered`, goes now; its outcome is drawn if it has one."""
        if len(offered) > 1:
            self.choices.append(actor)
        step = self.pending[actor]
        assert step is not None
        outcome = 0
        if step.options > 1:
            outcome = self.scheduler.choose(range(step.options), True)
            self.choices.append(outcome)
        self.actors.append(actor)
        self.steps.append(step)
        self.offers.append(offered)
        self.outcomes.append(outcome)
        world = self.world
        world.index = self.index
        world.current = actor
        world.step = step
        if step.ready is not None and world.session.audit:
            self._audit_condition(actor, step)

    def _audit_condition(self, actor: int, step: Step) -> None:
        """A condition may look only at what its step declares."""
        try:
            assert step.ready is not None
            step.ready()
        except FootprintError as error:
            self._fail(actor, error)

    def arrive(self, actor: int, arrival: Step | Done) -> None:
        """`actor` performed its step and now announces the next one, or is done."""
        self.index += 1
        world = self.world
        world.step = None
        if type(arrival) is Step:
            self.pending[actor] = arrival
            self.since[actor] = self.index
        else:
            assert isinstance(arrival, Done)
            self.pending[actor] = None
            self.live.remove(actor)
            if arrival.error is not None:
                self._fail(actor, arrival.error)
        if world.violation is not None and self.finding is None:
            oracle, violation = world.violation
            self._end(Outcome.VIOLATED, oracle, violation)

    def join(self, arrival: Step | Done) -> None:
        """A new actor (number `len(pending)`) announces its first step."""
        self.pending.append(None)
        self.since.append(self.index)
        if isinstance(arrival, Step):
            self.pending[-1] = arrival
            self.live.append(len(self.pending) - 1)
        elif arrival.error is not None:
            self._fail(len(self.pending) - 1, arrival.error)

    def _fail(self, actor: int, error: BaseException) -> None:
        name = self.world.actors[actor].name
        message = f"{name} raised {type(error).__name__}: {error}"
        self._finish(
            Finding(
                outcome=Outcome.ERROR,
                oracle=type(error).__name__,
                message=message,
                step=max(self.index - 1, 0),  # who fails before the first step fails at it
                objects=(name,),
            )
        )

    def _come_to_rest(self) -> None:
        stuck = [
            number
            for number, step in enumerate(self.pending)
            if step is not None and not (self.world.actors[number].daemon and step.idle)
        ]
        if stuck:
            self._report_deadlock(stuck)
            return
        for oracle in self.world.oracles:
            try:
                oracle.at_quiescence()
            except Violation as violation:
                self._end(Outcome.VIOLATED, oracle_name(oracle), violation)
                return
            except Exception as error:  # a bug of the oracle is a finding like any other, and replays
                self._break(oracle_name(oracle), error)
                return
        self.outcome = Outcome.QUIET

    def _break(self, oracle: str, error: Exception) -> None:
        self._finish(
            Finding(
                outcome=Outcome.ERROR,
                oracle=type(error).__name__,
                message=f"oracle {oracle} raised {type(error).__name__}: {error}",
                step=max(self.index - 1, 0),
                objects=(oracle,),
            )
        )

    def _report_deadlock(self, stuck: list[int]) -> None:
        lines = []
        for number in stuck:
            step = self.pending[number]
            assert step is not None
            waits = step.blocked() if step.blocked is not None else step.what
            lines.append(f"{self.world.actors[number].name} waits since step {self.since[number]} for {waits}")
        self._finish(
            Finding(
                outcome=Outcome.DEADLOCK,
                oracle="no-deadlock",
                message="; ".join(lines),
                step=self.index,
                objects=tuple(sorted(self.world.actors[number].name for number in stuck)),
            )
        )

    def _reach_bound(self) -> None:
        live = [self.world.actors[number].name for number in self.enabled()]
        self._finish(
            Finding(
                outcome=Outcome.BOUND,
                oracle="step-bound",
                message=f"still busy after {self.index} steps: raise the scenario's bound, or look for a livelock "
                f"among {', '.join(live)}",
                step=self.index,
            )
        )

    def _end(self, outcome: Outcome, oracle: str, violation: Violation) -> None:
        self._finish(
            Finding(
                outcome=outcome,
                oracle=oracle,
                message=str(violation),
                step=max(self.index - 1, 0),
                objects=violation.objects,
            )
        )

    def _finish(self, finding: Finding) -> None:
        if self.finding is None:
            self.finding = finding
            self.failing = self.schedule
        if finding.outcome is Outcome.BOUND:
            self.outcome = Outcome.BOUND  # whatever was found before: this run says nothing about what is beyond
        elif not self.to_the_end:
            self.outcome = self.finding.outcome
