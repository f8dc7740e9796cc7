"""The steps of a run by names that hold in other runs too, and where in the source they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from actors import c, runtime
from actors.runtime.primitives.step import Step
from actors.runtime.runners.seat import admit
from actors.runtime.runners.unawaited import seated
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Scheduler
from actors.runtime.world import World

_RUNTIME = (str(Path(runtime.__file__).parent), str(Path(c.__file__).parent))
"""Lines that say nothing of the model; a step of C names its own."""


@dataclass(frozen=True, slots=True)
class Point:
    """A step of an actor: what it does, and how often it has done so (from 1)."""

    actor: str
    what: str
    occurrence: int
    line: str = ""
    """`file:line` of who asked for it, where known."""

    def __str__(self) -> str:
        again = f" (no. {self.occurrence})" if self.occurrence > 1 else ""
        line = f" [{self.line}]" if self.line else ""
        return f"{self.actor}: {self.what}{again}{line}"


def points(execution: Execution) -> list[Point]:
    """The points of a run: one a step, then those that actors still waited for when it was over."""
    counts: dict[tuple[int, str], int] = {}
    names = [actor.name for actor in execution.world.actors]
    found = []
    taken = list(zip(execution.actors, execution.steps, strict=True))
    for actor, step in [*taken, *waiting(execution)]:
        count = counts[actor, step.what] = counts.get((actor, step.what), 0) + 1
        found.append(Point(names[actor], step.what, count))
    return found


def waiting(execution: Execution) -> list[tuple[int, Step]]:
    """The steps that were announced and never taken."""
    return [(actor, step) for actor, step in enumerate(execution.pending) if step is not None]


def lined(world: World, scheduler: Scheduler) -> list[Point]:
    """The points of a run to the end, made once more by hand to see where each actor stands."""
    execution = Execution(world, scheduler, to_the_end=True)
    lines: list[str] = []
    with seated(execution) as seats:
        admit(world, execution, seats)
        while (actor := execution.next()) is not None:
            lines.append(_line(seats[actor].lines()))
            execution.arrive(actor, seats[actor].resume(execution.outcomes[-1]))
            admit(world, execution, seats)
        # Of a livelock more was seen than is recorded.
        lines[len(execution.steps) :] = [_line(seats[actor].lines()) for actor, _ in waiting(execution)]
    return [replace(point, line=line) for point, line in zip(points(execution), lines, strict=True)]


def _line(frames: Sequence[tuple[str, int]]) -> str:
    """The innermost line outside the runtime."""
    for name, line in reversed(frames):
        if not name.startswith(_RUNTIME):
            return f"{Path(name).name}:{line}"
    return ""
