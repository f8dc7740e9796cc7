"""The record of a run: what every actor is about to do, what was done and chosen so far, and how it ended."""

from __future__ import annotations

from ..primitives.events import Finding, Outcome
from ..primitives.step import Step
from ..world import World
from .schedule import Schedule


class Record:
    """What there is to know about one run, while it goes on and afterwards; schedulers may read it, never change it.

    `actors`, `steps`, `offers` and `outcomes` have one item a step: who, what, who could have, and which outcome
    hardware took (0 where it had no choice). `choices` is the schedule: only where there was more than one option.
    A finding ends the run, unless it is taken `to_the_end`: then the first finding is kept and the others go on, as
    exhaustive search needs it (a run that is cut short hides the races of what it did not reach).
    """

    __slots__ = (
        "actors",
        "born",
        "choices",
        "failing",
        "finding",
        "index",
        "live",
        "offers",
        "outcome",
        "outcomes",
        "pending",
        "steps",
        "to_the_end",
        "world",
    )

    def __init__(self, world: World, to_the_end: bool) -> None:
        self.world = world
        self.to_the_end = to_the_end
        self.pending: list[Step | None] = []
        self.live: list[int] = []
        """Who is not done, in order of their numbers."""
        self.actors: list[int] = []
        self.steps: list[Step] = []
        self.offers: list[tuple[int, ...]] = []
        self.outcomes: list[int] = []
        self.choices: list[int] = []
        self.index = 0
        self.finding: Finding | None = None
        self.failing: Schedule | None = None  # the choices up to the finding: a recording of it
        self.outcome: Outcome | None = None
        self.born: list[int] = []  # before which step each actor announced its first: the one ahead spawned it

    @property
    def schedule(self) -> Schedule:
        """The choices so far, as a value."""
        return tuple(self.choices)

    def enabled(self) -> list[int]:
        """The actors whose next step can be taken now, in order of their numbers; every condition is asked."""
        pending = self.pending
        steps = [(number, pending[number]) for number in self.live]
        return [number for number, step in steps if step is not None and (step.ready is None or step.ready())]

    def since(self, number: int) -> int:
        """Before which step an actor announced the one that it waits for."""
        for index in range(self.index - 1, -1, -1):
            if self.actors[index] == number:
                return index + 1
        return self.born[number]

    def next_step(self, actor: int, index: int) -> Step | None:
        """What `actor` had pending before step `index`."""
        try:
            return self.steps[self.actors.index(actor, index)]
        except ValueError:
            return self.pending[actor]
