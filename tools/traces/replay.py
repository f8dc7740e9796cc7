"""Replay: a run made again from its recorded choices, compared step by step with what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import Recipe
from actors.runtime.runs.scheduler import Replay, ScheduleMismatch
from hw.bus import PhysAddr

from .. import __version__
from ..experiments.experiment import Experiment, reopen
from ..own_files.trust import source_of
from ..terminal.exits import Diverged, Refusal
from .container import encode
from .determined import HASH_ORDER, cause, differs_by_hash_order
from .naming import word_names
from .story import difference, stories
from .trace import Trace, TraceStep, record
from .watched import Watched

_LAST_EVENTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An actor between two steps: enabled, waiting for something, or finished."""

    name: str
    status: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The world before a step: what each actor is about to do, what just happened, what the touched words hold."""

    step: int
    steps: int
    actors: tuple[Waiting, ...]
    events: tuple[str, ...]
    words: tuple[tuple[int, str, int], ...]


def replay_recipe(recipe: Recipe) -> Trace:
    """The run of a token; Diverged if its choices do not fit."""
    experiment = reopen(recipe)
    now, mismatch, _ = _rerun(experiment, recipe)
    if mismatch is not None:
        raise Diverged(f"{mismatch}. Likely cause: {_cause(experiment, recipe, now, __version__)}")
    return now


def replay_trace(then: Trace) -> Trace:
    """The run of a trace, byte for byte; Diverged, naming the first difference, if it is another."""
    experiment = reopen(then.recipe)
    now, mismatch, offer = _rerun(experiment, then.recipe)
    changed = changed_since(then)
    now = replace(now, stopmarker=then.stopmarker, source=then.source)
    difference = _difference(then, now, offer)
    if difference is None and mismatch is None and encode(replace(then, hardware=now.hardware)) == encode(now):
        return now
    cause = changed or _cause(experiment, then.recipe, now, then.stopmarker)
    raise Diverged(f"replay diverged {difference or mismatch or 'in the header'}. Likely cause: {cause}")


def changed_since(then: Trace) -> str:
    """That the scenario file is not what it was when a trace of it was recorded; "" if it is, or if nobody knows."""
    now = source_of(then.scenario)
    if not then.source or now in ("", then.source):
        return ""
    return f"{then.scenario.partition('::')[0]}, or a module beside it, was changed after the recording"


def state_at(recipe: Recipe, step: int) -> State:
    """The world of a run before its step number `step`."""
    experiment = reopen(recipe)
    whole = Watched(Replay(recipe.schedule))
    try:
        run = experiment.run_once(whole)
    except ScheduleMismatch as mismatch:
        raise Diverged(str(mismatch)) from None
    total = len(run.steps)
    if not 0 <= step <= total:
        raise Refusal(f"step {step}: the run has {total} steps, allowed are 0..{total}")
    offered = run.offers[step] if step < total else []
    part = experiment.run_once(Watched(Replay(recipe.schedule), whole=False), step)
    trace = record(recipe, part)
    actors = []
    for number, actor in enumerate(part.world.actors):
        pending = part.pending[number] if number < len(part.pending) else None
        if pending is None:
            actors.append(Waiting(name=actor.name, status="finished", what=""))
        elif number in offered:
            actors.append(Waiting(name=actor.name, status="enabled", what=pending.what))
        else:
            what = pending.blocked() if pending.blocked is not None else pending.what
            actors.append(Waiting(name=actor.name, status="waits", what=what))
    events = [f"{event.step} {trace.actors[event.actor]}: {event.label}" for event in trace.events[-_LAST_EVENTS:]]
    return State(step=step, steps=total, actors=tuple(actors), events=tuple(events), words=_words(part))


def _rerun(experiment: Experiment, recipe: Recipe) -> tuple[Trace, ScheduleMismatch | None, str]:
    """What the recorded choices make now, how far they fit, and what was offered last."""
    scheduler = Watched(Replay(recipe.schedule))
    try:
        return record(recipe, experiment.run_once(scheduler)), None, scheduler.offer
    except ScheduleMismatch as mismatch:
        assert scheduler.execution is not None
        return record(recipe, scheduler.execution), mismatch, scheduler.offer


def _difference(then: Trace, now: Trace, offer: str) -> str | None:
    """Where two runs part first; `offer` is what there was to choose from where the second one stopped."""
    for number, step in enumerate(then.steps):
        if number >= len(now.steps):
            return f"at step {number}: then {_told(then, step)}; now {offer}{_reason(now)}"
        if step != now.steps[number]:
            return f"at step {number}: then {_told(then, step)}; now {_told(now, now.steps[number])}"
    if len(now.steps) > len(then.steps):
        number = len(then.steps)
        return f"at step {number}: then the run was over; now {_told(now, now.steps[number])}"
    for one, other in zip(then.events, now.events, strict=False):
        if one != other:
            return f"at step {one.step}, in its event: then {one.label!r}; now {other.label!r} (step {other.step})"
    if len(then.events) != len(now.events):
        return f"in the number of events: then {len(then.events)}, now {len(now.events)}"
    if (then.outcome, then.finding) != (now.outcome, now.finding):
        return f"in the verdict: then {_verdict(then)}; now {_verdict(now)}"
    return None


def _told(trace: Trace, step: TraceStep) -> str:
    outcome = f" = {step.outcome} of {step.options}" if step.options > 1 else ""
    return f"{_names(trace, (step.actor,))} took `{step.what}`{outcome}, offered {_names(trace, step.offered)}"


def _names(trace: Trace, numbers: Sequence[int]) -> str:
    return ", ".join(trace.actors[number] if number < len(trace.actors) else str(number) for number in numbers)


def _verdict(trace: Trace) -> str:
    return trace.outcome if trace.finding is None else f"{trace.finding.oracle}: {trace.finding.message}"


def _reason(trace: Trace) -> str:
    return "" if trace.finding is None else f": {_verdict(trace)}"


def _cause(experiment: Experiment, recipe: Recipe, now: Trace, recorded_by: str) -> str:
    """Other replays tell a model that is not deterministic from one that was changed."""
    again, _, _ = _rerun(experiment, recipe)
    if encode(replace(again, stopmarker=now.stopmarker)) != encode(now):
        one, other = stories(experiment, [Replay(recipe.schedule), Replay(recipe.schedule)])
        inside = difference(one, other) or "in what they record"
        return f"the scenario is not deterministic: two replays in a row differ {inside}; {cause(experiment)}"
    apart = differs_by_hash_order(recipe)
    if apart is not None:
        return f"{HASH_ORDER} (under two hash seeds a replay differs {apart})"
    if recorded_by != __version__:
        return f"stopmarker {recorded_by} recorded it, this is {__version__}"
    return "the scenario or a model that it uses was changed after the recording"


def _words(run: Record) -> tuple[tuple[int, str, int], ...]:
    """The memory words that the steps so far touched: address, the name that a load or store gave it, value now."""
    names = word_names(run)
    memory = run.world.memory
    return tuple((address, names[address], memory.read(PhysAddr(address))) for address in sorted(names))
