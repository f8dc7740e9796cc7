"""Why a run goes round in a circle: what those who never finish look at, who changes it, and which other orders end.

Found out by experiments: at each step of the circle each of the others who could go there goes instead, and then
everybody in turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import trio

from actors.runtime.primitives.events import Finding, Outcome
from actors.runtime.primitives.step import Step
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import FAIR
from actors.runtime.runs.scheduler import Replay

from ..experiments.experiment import Experiment
from ..explore.search import FoundSignature, Report
from ..terminal.interrupt import StopRequest
from ..traces.naming import resource_name, word_names
from ..traces.trace import Trace, record


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What somebody who never finishes looks at in each round, in which step, and who changes it in the circle."""

    actor: str
    what: str
    at: str
    changed_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOut:
    """An order that ends: at that step, `instead` goes and does `what`."""

    step: int
    instead: str
    what: str
    of: str
    """Whom it overtakes, and in what."""
    trace: Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Circle:
    """A livelock, explained."""

    trace: Trace
    finding: Finding
    looks: tuple[Look, ...]
    ways_out: tuple[WayOut, ...]
    tried: int
    """Other orders that were tried."""


class _Overtaking:
    """Follows a run up to a step, has another actor go there, and then everybody in turn."""

    def __init__(self, run: Record, step: int, actor: int) -> None:
        self._run = run
        self._step = step
        self._actor = actor

    def start(self, execution: Record) -> None:
        """From the beginning."""
        self._execution = execution

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """As in the run; then the other one; then no more."""
        index, run = self._execution.index, self._run
        if outcome:
            return run.outcomes[index] if index < self._step else options[0]
        if index < self._step:
            return run.actors[index]
        return self._actor if index == self._step else FAIR

    def finish(self) -> None:
        """Nothing to keep."""


def explain_circle(
    experiment: Experiment, found: FoundSignature, on_progress: Callable[[Report], None], stop: StopRequest
) -> Circle:
    """Explain a livelock that was found; Stopped by Ctrl-C."""

    async def main() -> Circle:
        async with controlled() as driver:
            return _explained(driver, experiment, found, on_progress, stop)

    return trio.run(main)


def _explained(
    driver: Controlled,
    experiment: Experiment,
    found: FoundSignature,
    on_progress: Callable[[Report], None],
    stop: StopRequest,
) -> Circle:
    make_world = stop.between(experiment.world)
    run = driver.run(make_world(), Replay(found.schedule))
    assert run.finding is not None
    looks = _looks(run)
    steps, report, ways = [*zip(run.actors, run.steps, run.offers, strict=True)], Report(), list[WayOut]()
    for index in range(run.finding.step, len(steps)):
        actor, step, offered = steps[index]
        for other in offered:
            if other == actor:
                continue
            tried = driver.run(make_world(), _Overtaking(run, index, other))
            report.add(tried)
            on_progress(report)
            if tried.finding is None:
                ways.append(
                    WayOut(
                        step=index,
                        instead=tried.world.names[other],
                        what=tried.steps[index].what,
                        of=f"{tried.world.names[actor]}: {step.what}",
                        trace=record(experiment.recipe(tried.schedule), tried),
                    )
                )
    trace = record(experiment.recipe(run.schedule), run)
    return Circle(trace=trace, finding=run.finding, looks=looks, ways_out=tuple(ways), tried=report.schedules)


def _looks(run: Execution) -> tuple[Look, ...]:
    """What those look at who never finish."""
    assert run.finding is not None and run.finding.outcome is Outcome.LIVELOCK
    names, words = run.world.names, word_names(run)
    table = run.world.session.resources
    circle = range(run.finding.step, run.index)
    found: dict[Look, None] = {}
    events = [(names[run.actors[index]], run.steps[index]) for index in circle]
    waiting = [(names[number], run.pending[number]) for number in run.live if names[number] in run.finding.objects]
    for actor, step in [*events, *waiting]:
        if step is None or actor not in run.finding.objects:
            continue
        looks_at = step.reads | (step.wakes if step.ready is not None and step.wakes > 0 else 0)
        for resource in table.names(looks_at | step.writes):
            by = _changed_by(actor, events, table.mask(resource))
            if not by and not looks_at & table.mask(resource):
                continue  # it only writes this, and nobody else does
            found[Look(actor=actor, what=step.what, at=resource_name(resource, words), changed_by=by)] = None
    return tuple(found)


def _changed_by(actor: str, events: Sequence[tuple[str, Step]], bit: int) -> tuple[str, ...]:
    """The steps of the circle that change something, each once, but for those of whom looks at it."""
    steps = [(who, step) for who, step in events if (step.writes | step.gives) & bit]
    return tuple(dict.fromkeys(f"{who}: {step.what}" for who, step in steps if who != actor))
