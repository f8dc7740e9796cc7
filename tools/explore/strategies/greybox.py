"""Greybox: runs that brought an order which was not seen before are kept, and varied; the others are drawn blindly.

A kept run is varied in one of two ways. *Flip*: of two steps that raced the first is held back, so that the second
comes before it; reversals that were seen or tried least come first. *Splice*: it goes as far as a random point, and
another kept run goes on from there. Half of the varied runs follow their plan to the end, the others to a random point.

The loop is that of coverage-guided fuzzers, as Fest and RFF have it for schedules. What they vary is a stream of random
numbers or a set of reads-from pairs; here it is the order of the steps itself.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from actors.runtime.primitives.step import Step
from actors.runtime.runs.causality import Causality
from actors.runtime.runs.record import Record
from actors.runtime.runs.scheduler import RandomWalk, Scheduler

from .pairs import Order, Orders
from .pos import Pos

BLIND = 0.5
"""Share of the runs that owe nothing to earlier ones: partial order sampling."""
SPLICED = 0.1
"""Share of the varied runs that are made of two kept ones."""
LOOSE = 0.5
"""Share of the varied runs whose plan ends at a random point, where blind sampling goes on."""
KEPT = 512
"""Kept runs; the oldest is forgotten first."""
MOST_SEEN = 50_000
"""Orders that are remembered; then all are forgotten, and everything is new again."""

ANY = -1
"""An outcome that is left to chance."""


@dataclass(slots=True)
class Kept:
    """A run that brought something new, without what would keep its world alive."""

    actors: list[int]
    outcomes: list[int]
    steps: list[Step]
    accesses: list[int]
    """The number of each step as an access."""
    races: list[tuple[int, int]] | None = None
    """Two steps each: both could have been the first of them. Found when the run is varied for the first time."""


@dataclass(slots=True)
class Plan:
    """What a varied run shall do. An actor's n-th step has a rank, and of all that can go the lowest rank goes."""

    length: int
    until: int
    """From this step on it is not followed."""
    steps: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    """Actor -> rank and outcome of each of its steps."""

    def add(self, actor: int, rank: float, outcome: int) -> None:
        """Plan a further step of an actor."""
        self.steps.setdefault(actor, []).append((rank, outcome))


class Greybox:
    """Half of the runs are drawn blindly, half vary a run that was kept. Until a run is kept, all of them are a random
    walk."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._walk = RandomWalk(seed)
        self._sampling = Pos(self._random.getrandbits(32))
        self._blind: Scheduler = self._walk
        self._orders = Orders()
        self._seen: dict[Order, Sequence[tuple[int, int]]] = {}
        """Each order that a run had, with its conflicting pairs."""
        self._count: dict[tuple[int, int], int] = {}
        """How many runs had a pair of accesses, and how many were made to have it."""
        self._kept: list[Kept] = []
        self._plan: Plan | None = None
        self._done: dict[int, int] = {}
        self._at = 0
        self._chosen = -1

    def start(self, execution: Record) -> None:
        """Blind, or a plan."""
        self._execution = execution
        self._blind = self._sampling if self._kept else self._walk
        self._blind.start(execution)
        self._plan = None
        if self._kept and self._random.random() >= BLIND:
            self._plan = self._splice() if self._random.random() < SPLICED else self._flip()
            self._done.clear()
            self._at = 0

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """What is planned first; what is not planned comes anywhere."""
        plan = self._plan
        if plan is None or self._execution.index >= plan.until:
            return self._blind.choose(options, outcome)
        self._catch_up()
        if outcome:
            actor = self._chosen if self._chosen >= 0 else self._execution.enabled()[0]
            planned = self._next(plan, actor)[1]
            return planned if planned in options else options[int(self._random.random() * len(options))]
        self._chosen = min(options, key=lambda option: self._next(plan, option)[0])
        return self._chosen

    def finish(self) -> None:
        """Keep the run if it had a new order, and was not ended by a finding, as all that is like it would be."""
        execution = self._execution
        new = False
        pairs: dict[tuple[int, int], None] = {}
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        for order in self._orders.of(execution):
            known = self._seen.get(order)
            if known is None:
                known = self._seen[order] = tuple(self._orders.conflicts(order))
                new = True
            pairs.update(dict.fromkeys(known))
        for pair in pairs:
            self._count[pair] = self._count.get(pair, 0) + 1
        if new and execution.finding is None:
            if len(self._kept) == KEPT:
                del self._kept[0]
            self._kept.append(self._keep(execution))

    def _keep(self, execution: Record) -> Kept:
        names = [actor.name for actor in execution.world.actors]
        steps = [
            Step(step.what, step.reads, step.writes, takes=step.takes, gives=step.gives, options=step.options)
            for step in execution.steps
        ]
        accesses = [
            self._orders.number(names[actor], step) for actor, step in zip(execution.actors, steps, strict=True)
        ]
        return Kept(execution.actors, execution.outcomes, steps, accesses)

    def _flip(self) -> Plan:
        """A kept run, the later ones more often, in which the first step of a race waits until after the second."""
        draw = self._random
        kept = self._pick()
        length = len(kept.actors)
        ranks, outcomes = [float(index) for index in range(length)], list(kept.outcomes)
        races = kept.races = races_of(kept) if kept.races is None else kept.races
        if races:
            reversals = [(kept.accesses[second], kept.accesses[first]) for first, second in races]
            weights = [1 / (1 + self._count.get(pair, 0)) ** 2 for pair in reversals]
            (number,) = draw.choices(range(len(races)), weights)
            self._count[reversals[number]] = self._count.get(reversals[number], 0) + 1
            first, second = races[number]
            ranks[first] = second + 0.5 + 2 * draw.random() * (length - second)  # half of them: to the end
        branches = [index for index, step in enumerate(kept.steps) if step.options > 1]
        if branches and draw.random() < 0.5:
            outcomes[draw.choice(branches)] = ANY
        plan = Plan(length, self._until(length))
        for actor, rank, outcome in zip(kept.actors, ranks, outcomes, strict=True):
            plan.add(actor, rank, outcome)
        return plan

    def _splice(self) -> Plan:
        """A kept run to a random point, then what another does after as many steps of each actor."""
        before, after = self._pick(), self._pick()
        cut = int(self._random.random() * len(before.actors))
        length = len(before.actors) + len(after.actors)
        plan = Plan(length, self._until(length))
        for index in range(cut):
            plan.add(before.actors[index], index, before.outcomes[index])
        left = {actor: len(steps) for actor, steps in plan.steps.items()}
        for index, (actor, outcome) in enumerate(zip(after.actors, after.outcomes, strict=True)):
            if left.get(actor, 0):
                left[actor] -= 1
            else:
                plan.add(actor, len(before.actors) + index, outcome)
        return plan

    def _pick(self) -> Kept:
        draw, count = self._random.random, len(self._kept)
        return self._kept[int(max(draw(), draw()) * count)]

    def _until(self, length: int) -> int:
        draw = self._random.random
        return int(draw() * length) if draw() < LOOSE else length

    def _catch_up(self) -> None:
        """Count what was done since the last choice."""
        execution, done = self._execution, self._done
        for index in range(self._at, execution.index):
            actor = execution.actors[index]
            done[actor] = done.get(actor, 0) + 1
            self._chosen = -1
        self._at = execution.index

    def _next(self, plan: Plan, actor: int) -> tuple[float, int]:
        """Rank and outcome of the next step of an actor; drawn, once, if it is not planned."""
        steps = plan.steps.setdefault(actor, [])
        number = self._done.get(actor, 0)
        while len(steps) <= number:
            now = self._execution.index
            steps.append((now + self._random.random() * max(plan.length - now, 1), ANY))
        return steps[number]


def races_of(kept: Kept) -> list[tuple[int, int]]:
    """The conflicting steps of a run that nothing in between orders, and of which neither needs the other."""
    causality, races = Causality(), []
    for second, (actor, step) in enumerate(zip(kept.actors, kept.steps, strict=True)):
        before, conflicts, givers = causality.before(actor), causality.conflicts(step), causality.givers(step)
        covered = causality.closure(before, givers)
        rest = conflicts & ~covered
        while rest:
            first = rest.bit_length() - 1
            races.append((first, second))
            covered |= causality.past[first]
            rest &= ~covered
        causality.append(actor, step, causality.closure(before, conflicts | givers))
    return races
