"""What happened in a run, step by step, as plain lists: two runs of one schedule must tell the same, in any process."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import Schedule
from actors.runtime.runs.scheduler import Fifo, RandomWalk, Replay, ScheduleMismatch, Scheduler

from ..experiments.experiment import Experiment, unwrapped
from .trace import TraceError, record
from .watched import Watched

LONGEST = 2_000
"""Steps of a run that are looked at: it is made anew at the start of each command."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
_KINDS = ("reads", "writes", "takes", "gives")


class StoryRow(NamedTuple):
    """One step; or, without an actor, what a run came to, and with a checksum of its memory for an outcome."""

    actor: str
    what: str
    offered: list[str]
    outcome: int
    footprint: list[str]
    events: list[str]


Story = list[StoryRow]
Rows = Sequence[Sequence[Any]]
"""A story, perhaps as it came from another process."""


def plain_schedulers() -> tuple[Scheduler, ...]:
    """Of the runs that are compared: the plain order, and a random one."""
    return Fifo(), RandomWalk(0)


def schedulers_of(schedule: Schedule | None) -> tuple[Scheduler, ...]:
    """That make this one run; the plain ones without it."""
    return plain_schedulers() if schedule is None else (Replay(schedule),)


def stories(experiment: Experiment, schedulers: Sequence[Scheduler], again: bool = False) -> list[Story]:
    """The stories of some runs; with `again` each is made once more by its choices, and then its story comes twice."""

    async def program() -> list[Story]:
        told = []
        async with controlled() as driver:
            for scheduler in schedulers:
                first, choices = _told(experiment, driver.run, Watched(scheduler))
                told.append(first)
                if again:
                    told.append(_told(experiment, driver.run, Watched(Replay(choices)))[0])
        return told

    return unwrapped(program)


def difference(one: Rows, other: Rows) -> str | None:
    """Where two stories part first, in words: `at step 3 … and …`; None if they are the same."""
    for number in range(max(len(one), len(other))):
        if number >= len(one) or number >= len(other):
            return f"at step {number}: one of them is over, and in the other {_words(max(one, other, key=len)[number])}"
        if list(one[number]) != list(other[number]):
            return f"at step {number}: {_apart(StoryRow(*one[number]), StoryRow(*other[number]))}"
    return None


def _told(experiment: Experiment, run: Callable[..., Record], scheduler: Watched) -> tuple[Story, Schedule]:
    world = experiment.world()
    world.stop_at = LONGEST
    mismatch = ""
    try:
        execution = run(world, scheduler)
    except ScheduleMismatch:
        assert scheduler.execution is not None
        execution, mismatch = scheduler.execution, scheduler.offer
    return _rows(experiment, execution, mismatch), execution.schedule


def _rows(experiment: Experiment, execution: Record, mismatch: str) -> Story:
    names = [actor.name for actor in execution.world.actors]
    events = _events(experiment, execution)
    resources = experiment.session.resources
    rows = []
    for number, step in enumerate(execution.steps):
        touched = [f"{kind} {_plain(one)}" for kind in _KINDS for one in resources.names(getattr(step, kind))]
        offered = [names[actor] for actor in execution.offers[number]]
        rows.append(
            StoryRow(
                names[execution.actors[number]],
                step.what,
                offered,
                execution.outcomes[number],
                sorted(touched),
                events.get(number, []),
            )
        )
    finding = execution.finding
    ended = mismatch or str(execution.outcome) if finding is None else f"{finding.oracle}: {finding.message}"
    return [*rows, StoryRow("", ended, [], zlib.crc32(execution.world.memory.array.tobytes()), [], [])]


def _events(experiment: Experiment, execution: Record) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    try:
        for event in record(experiment.recipe(()), execution).events:
            found.setdefault(event.step, []).append(f"{event.kind} {event.label} {event.fields}")
    except TraceError:
        return {}  # what cannot be recorded is said where it is recorded
    return found


def _plain(resource: object) -> str:
    return _ADDRESS.sub("", str(resource))


def _apart(one: StoryRow, other: StoryRow) -> str:
    if one.actor == other.actor == "" and one.what == other.what:
        return "the run is over, and memory does not hold the same"
    if (one.actor, one.what, one.outcome) != (other.actor, other.what, other.outcome):
        return f"{_words(one)}, and in the other {_words(other)}"
    if one.offered != other.offered:
        return f"{_words(one)} while {', '.join(one.offered)} could go, and in the other {', '.join(other.offered)}"
    if one.footprint != other.footprint:
        return f"{_words(one)} and {_list(one.footprint)}, and in the other {_list(other.footprint)}"
    return f"{_words(one)} with the events {_list(one.events)}, and in the other {_list(other.events)}"


def _words(row: Sequence[Any]) -> str:
    actor, what, outcome = row[0], row[1], row[3]
    if not actor:
        return f"the run is over ({what})"
    return f"{actor} takes `{what}`{f' = {outcome}' if outcome else ''}"


def _list(items: Sequence[str]) -> str:
    return ", ".join(items) or "nothing"
