"""Every interleaving of a small world, by a driver of its own, and what search must find among them.

It knows of the project what is compared: the world, and what a step announces.
Who can go is asked of everybody before each step. The order of steps and their classes are computed here from the
footprints, step by step with every earlier one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from actors.runtime.primitives.cpu import called
from actors.runtime.primitives.step import Step
from actors.runtime.world import Session
from stopmarker import Violation, World

from .machine import Machine, State
from .program import Program

Signature = tuple[str, ...]


class Filled(Protocol):
    """A program in a world."""

    def state(self) -> State:
        """All that can be told of a run when it is over."""
        ...


Fill = Callable[[Program, World], Filled]
Class = frozenset[tuple[int, int]]
"""A run without the order of what is independent: each event with the mask of those that happened before it."""


class TooMany(Exception):
    """The world has more interleavings than are to be enumerated."""


class Difference(AssertionError):
    """Two runs of one class end differently, or an order of independent steps is not possible."""


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended: its final state, who is stuck, and the first failure with the number of steps it took."""

    state: State
    stuck: tuple[str, ...]
    failure: Signature | None
    steps: int


class Classes:
    """Gives each event (who, the number of the step among his own, which outcome) a bit, and each run its class."""

    def __init__(self) -> None:
        self._bits: dict[tuple[str, int, int], int] = {}

    def bit(self, name: str, count: int, outcome: int) -> int:
        """The bit of an event."""
        return self._bits.setdefault((name, count, outcome), 1 << len(self._bits))

    def of(self, names: Sequence[str], steps: Sequence[Step], outcomes: Sequence[int]) -> Class:
        """The class of a whole run."""
        order = Order(self)
        for name, step, outcome in zip(names, steps, outcomes, strict=True):
            order.add(name, step, outcome)
        return order.class_of_run()


class Order:
    """What happened before what in one run, and it can be cut back."""

    def __init__(self, classes: Classes) -> None:
        self._classes = classes
        self._names: list[str] = []
        self._steps: list[Step] = []
        self.events: list[int] = []
        """The bits of the events, in the order of the run."""
        self.past: list[int] = []
        """For each event the mask of those before it."""

    def cut(self, length: int) -> None:
        """Forget all but the first events."""
        for record in (self._names, self._steps, self.events, self.past):
            del record[length:]

    def add(self, name: str, step: Step, outcome: int) -> None:
        """The next event."""
        past = 0
        for number, earlier in enumerate(self._steps):
            if self._names[number] == name or _ordered(earlier, step):
                past |= self.past[number] | self.events[number]
        self.events.append(self._classes.bit(name, self._names.count(name), outcome))
        self.past.append(past)
        self._names.append(name)
        self._steps.append(step)

    def class_of_run(self) -> Class:
        """The events and their pasts."""
        return frozenset(zip(self.events, self.past, strict=True))

    def swapped(self) -> list[tuple[int, ...]]:
        """The run with two neighbours that are independent in the other order, for each such pair."""
        found = []
        for number in range(len(self.events) - 1):
            if not self.past[number + 1] & self.events[number]:
                first, second = self.events[number : number + 2]
                found.append((*self.events[:number], second, first, *self.events[number + 2 :]))
        return found


def _ordered(earlier: Step, later: Step) -> bool:
    if earlier.timed_out or later.timed_out:
        return True
    return bool(
        earlier.writes & (later.reads | later.writes) or earlier.reads & later.writes or earlier.gives & later.takes
    )


@dataclass(slots=True)
class Everything:
    """All runs of a world, by their classes."""

    runs: int = 0
    ends: dict[Class, End] = field(default_factory=dict)
    failures: dict[Class, set[Signature]] = field(default_factory=dict)
    """Of each class that fails what may be met first in it."""
    first_failure: dict[Signature, int] = field(default_factory=dict)
    """The least number of steps after which each failure is met, as the first of its run."""
    reached: dict[str, bool] = field(default_factory=dict)
    longest: int = 0

    @property
    def verdict(self) -> str:
        """What a proof must come to."""
        if self.failures:
            return "violated"
        return "holds" if all(self.reached.values()) else "vacuous"

    def fails_within(self, bound: int) -> set[Signature]:
        """The failures that are met in at most `bound` steps."""
        return {signature for signature, steps in self.first_failure.items() if steps <= bound}


class Run:
    """One world, stepped by hand."""

    def __init__(self, program: Program, session: Session, machine: Fill) -> None:
        self.world = world = World(session, frames=4)
        self.machine = machine(program, world)
        self.steps: list[Step] = []
        world.session.steps = self.steps
        self._coroutines: list[object] = []
        self._sends: list[Callable[[int | None], Step]] = []
        self.pending: list[Step | None] = []
        self.failure: Signature | None = None
        self.failed_at = 0
        self.is_late = False
        """Whether nobody can go but whose time is over."""
        self._admit()

    def options(self) -> list[tuple[int, int]]:
        """Who can go now, with which outcome; or if nobody can, whose time may be over."""
        able = [
            (number, outcome)
            for number, step in enumerate(self.pending)
            if step is not None and (step.ready is None or step.ready())
            for outcome in range(max(step.options, 1))
        ]
        self.is_late = not able and bool(self._stuck())
        if self.is_late:
            able = [(number, 0) for number, step in enumerate(self.pending) if step is not None and step.times_out]
        return able

    def go(self, number: int, outcome: int) -> None:
        """Perform the step that an actor announced."""
        step, world = self.pending[number], self.world
        assert step is not None
        world.index, world.current = len(self.steps), number
        if self.is_late:
            self._look_for_spinners()
            step = step.late()
        self.steps.append(step)
        self._resume(number, outcome)
        self._admit()
        if world.violation is not None:
            oracle, violation = world.violation
            self._fail((getattr(oracle, "name", oracle), *violation.objects))

    def end(self) -> End:
        """The run is over: nobody can go."""
        stuck = self._stuck()
        if stuck:
            self._fail(("no-deadlock", *stuck))
        for number, actor in enumerate(self.world.actors):
            if self.pending[number] is None and actor.cpu.holds:
                self._fail(("held-at-the-end", actor.name, *actor.cpu.holds))
        if self.failure is None:
            self._look_at_rest()
        return End(self.machine.state(), stuck, self.failure, self.failed_at)

    def _stuck(self) -> tuple[str, ...]:
        return tuple(
            sorted(
                self.world.actors[number].name
                for number, step in enumerate(self.pending)
                if step is not None and not (self.world.actors[number].daemon and step.idle)
            )
        )

    def _look_for_spinners(self) -> None:
        """Who waits for a spin lock, or with one held, while nothing moves before somebody's time is over."""
        waiting = [number for number, step in enumerate(self.pending) if step is not None]
        held = [
            number for number in waiting if any("spin lock" in why for why in self.world.actors[number].cpu.spinning)
        ]
        wanting = [number for number in waiting if getattr(self.pending[number], "what", "").startswith("lock s")]
        if names := sorted({self.world.actors[number].name for number in held + wanting}):
            self._fail(("no-soft-lockup", *names))

    def close(self) -> None:
        """Nobody goes on."""
        for coroutine in self._coroutines:
            coroutine.close()  # type: ignore[attr-defined]  # a coroutine
        self.world.end()

    def _admit(self) -> None:
        """Have actors that are new announce their first step."""
        actors = self.world.actors
        while len(self.pending) < len(actors):
            actor = actors[len(self.pending)]
            coroutine: Any = called(actor.name, actor.main, actor.cpu)
            self._coroutines.append(coroutine)
            self._sends.append(coroutine.send)
            self.pending.append(None)
            self.world.current = len(self.pending) - 1
            self._resume(self.world.current, None)

    def _resume(self, number: int, value: int | None) -> None:
        try:
            self.pending[number] = self._sends[number](value)
        except StopIteration:
            self.pending[number] = None
        except Exception as error:
            self.pending[number] = None
            self._fail((type(error).__name__, self.world.actors[number].name))

    def _look_at_rest(self) -> None:
        for oracle in self.world.oracles:
            try:
                oracle.at_quiescence()
            except Violation as violation:
                self._fail((str(getattr(oracle, "name", "")), *violation.objects))
                return

    def _fail(self, signature: Signature) -> None:
        if self.failure is None:
            self.failure = signature
            self.failed_at = len(self.steps)


def enumerate_all(program: Program, classes: Classes, most: int, machine: Fill = Machine) -> Everything:
    """Every interleaving, at most so many; TooMany otherwise, Difference if a class is not what a class must be."""
    session, found, order = Session(), Everything(), Order(classes)
    plan: list[tuple[list[tuple[int, int]], int]] = []
    known: dict[tuple[int, ...], Class] = {}
    swaps: list[tuple[tuple[int, ...], Class]] = []
    while True:
        run = Run(program, session, machine)
        for options, position in plan:
            run.options()
            run.go(*options[position])
        order.cut(max(len(plan) - 1, 0))
        if plan:
            _add(order, run, *plan[-1][0][plan[-1][1]])
        while options := run.options():
            plan.append((options, 0))
            run.go(*options[0])
            _add(order, run, *options[0])
        kind, end = order.class_of_run(), run.end()
        _keep(found, run, kind, end)
        known[tuple(order.events)] = kind
        swaps += [(swapped, kind) for swapped in order.swapped()]
        run.close()
        if found.runs > most:
            raise TooMany(f"more than {most} interleavings")
        while plan and plan[-1][1] + 1 == len(plan[-1][0]):
            plan.pop()
        if not plan:
            break
        options, position = plan[-1]
        plan[-1] = (options, position + 1)
    for swapped, kind in swaps:
        if known.get(swapped) != kind:
            raise Difference("two neighbours that are independent cannot change places, or then make another class")
    return found


def _add(order: Order, run: Run, number: int, outcome: int) -> None:
    order.add(run.world.actors[number].name, run.steps[-1], outcome)


def _keep(found: Everything, run: Run, kind: Class, end: End) -> None:
    found.runs += 1
    found.longest = max(found.longest, len(run.steps))
    known = found.ends.setdefault(kind, end)
    if (known.state, known.stuck, known.failure is None) != (end.state, end.stuck, end.failure is None):
        raise Difference(f"two orders of independent steps end differently: {known} and {end}")
    if end.failure is not None:
        found.failures.setdefault(kind, set()).add(end.failure)
        found.first_failure[end.failure] = min(end.steps, found.first_failure.get(end.failure, end.steps))
    for witness in run.world.witnesses:
        name = str(getattr(witness, "name", ""))
        found.reached[name] = witness.reached or found.reached.get(name, False)
