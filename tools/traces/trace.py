"""A trace: everything that a run did, as plain values; a pure function of scenario, parameters and schedule.

Replay, renderers and the container read only this. Events become labelled records here: an event may say by `label`
how people should read it and by `target` to which lane its arrow goes.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, fields, is_dataclass

from actors.runtime.primitives.events import Finding, Note
from actors.runtime.runs.record import Record
from actors.runtime.runs.schedule import ParamValue, Recipe

from .. import __version__
from ..own_files.trust import source_of
from ..terminal.exits import Refusal

Value = int | float | str | bool | bytes | None | tuple["Value", ...]
MAX_TEXT = 32_768
MAX_ITEMS = 4_096
MAX_DEPTH = 8
_WORD = 1 << 64


class TraceError(Refusal):
    """A trace that cannot be written or read; the message says what was found and what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceStep:
    """One step: who, what, who could have, how many outcomes there were and which was taken."""

    actor: int
    what: str
    offered: tuple[int, ...]
    options: int
    outcome: int
    fingerprint: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceEvent:
    """One event of a step; `target` is the lane that an arrow goes to, None for what happens in the actor's own."""

    step: int
    actor: int
    kind: str
    label: str
    target: str | None
    fields: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A whole run. `stopmarker` is the version that recorded it."""

    stopmarker: str
    scenario: str
    params: tuple[tuple[str, ParamValue], ...]
    schedule: tuple[int, ...]
    outcome: str
    finding: Finding | None
    actors: tuple[str, ...]
    hardware: tuple[int, ...]
    """The numbers of those actors that said so."""
    steps: tuple[TraceStep, ...]
    events: tuple[TraceEvent, ...]
    source: str = ""
    """The digest of the scenario file and the modules beside it; "" for a shipped scenario, and in older traces."""

    @property
    def recipe(self) -> Recipe:
        """What makes the run again."""
        return Recipe(scenario=self.scenario, params=self.params, schedule=self.schedule)


def record(recipe: Recipe, execution: Record, stopmarker: str = __version__) -> Trace:
    """The trace of a run that is over."""
    world = execution.world
    steps = tuple(
        TraceStep(
            actor=actor,
            what=_text(step.what),
            offered=tuple(offered),
            options=step.options,
            outcome=outcome,
            fingerprint=fingerprint(offered, actor, step.options, outcome),
        )
        for actor, step, offered, outcome in zip(
            execution.actors, execution.steps, execution.offers, execution.outcomes, strict=True
        )
    )
    return Trace(
        stopmarker=stopmarker,
        scenario=recipe.scenario,
        params=recipe.params,
        schedule=recipe.schedule,
        outcome=str(execution.outcome.value if execution.outcome else "abandoned"),
        finding=_plain_finding(execution.finding),
        actors=tuple(_text(actor.name) for actor in world.actors),
        hardware=tuple(number for number, actor in enumerate(world.actors) if actor.hardware),
        steps=steps,
        events=tuple(_event(step, actor, event) for step, actor, event in world.events),
        source=source_of(recipe.scenario),
    )


def fingerprint(offered: Sequence[int], actor: int, options: int, outcome: int) -> int:
    """32 bits of who was enabled and what was chosen: two runs that differ in either differ here."""
    enabled = 0
    for number in offered:
        enabled |= 1 << number
    return zlib.crc32(struct.pack(">QBII", enabled, actor, options, outcome))


def _event(step: int, actor: int, event: object) -> TraceEvent:
    kind = type(event).__name__
    pairs: list[tuple[str, Value]] = []
    if is_dataclass(event):
        pairs = [(field.name, _value(getattr(event, field.name), f"{kind}.{field.name}", 0)) for field in fields(event)]
    target = getattr(event, "target", None)
    return TraceEvent(
        step=step,
        actor=actor,
        kind=kind,
        label=_text(_label(event, pairs)),
        target=None if target is None else _text(str(target)),
        fields=tuple(pairs),
    )


def _label(event: object, pairs: Sequence[tuple[str, Value]]) -> str:
    given = getattr(event, "label", None)
    if given is not None:
        return str(given)
    if isinstance(event, Note):
        return f"{event.subject} = {event.value}"
    texts = [f"{name}={value.hex() if isinstance(value, bytes) else value}" for name, value in pairs]
    return " ".join([type(event).__name__, *texts])


def _value(value: object, where: str, depth: int) -> Value:
    """A field's value as plain data; TraceError for what has no order or no end."""
    if depth > MAX_DEPTH:
        raise TraceError(f"record {where}: nested deeper than {MAX_DEPTH}")
    match value:
        case None | bool() | float():
            return value
        case enum.Enum():
            return value.value if isinstance(value, str) else value.name
        case int():
            return int(value) if -_WORD // 2 <= value < _WORD else hex(value)
        case str():
            return _text(value)
        case bytes() if len(value) <= MAX_TEXT:
            return value
        case tuple() | list() if len(value) <= MAX_ITEMS:
            return tuple(_value(item, where, depth + 1) for item in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            inner = (getattr(value, field.name) for field in fields(value))
            return (type(value).__name__, *[_value(item, where, depth + 1) for item in inner])
    raise TraceError(
        f"record {where}: found {type(value).__name__}; allowed are numbers, texts, enums, frozen dataclasses, "
        f"and tuples or lists of up to {MAX_ITEMS} of those"
    )


def _text(text: str) -> str:
    """Text that can be written: no lone surrogates, no more than a reader accepts."""
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= MAX_TEXT // 4 else clean[: MAX_TEXT // 4 - 1] + "…"


def _plain_finding(finding: Finding | None) -> Finding | None:
    if finding is None:
        return None
    return Finding(
        outcome=finding.outcome,
        oracle=_text(finding.oracle),
        message=_text(finding.message),
        step=finding.step,
        objects=tuple(_text(item) for item in finding.objects),
        where=_text(finding.where),
    )
