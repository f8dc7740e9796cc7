"""Which findings are the same: those of a bucket break the same property by the same two deciding steps, and two are
exactly the same if the same things came before each other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import islice
from typing import NamedTuple

import msgpack

from actors.runtime.primitives.events import ENDLESS
from actors.runtime.primitives.step import Step, races
from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.commute import rows
from actors.runtime.runs.execution import Execution
from actors.runtime.world import World

from ..explore.reasons.plan import Follow, Plan, plan_of
from ..explore.strategies.pairs import kind
from ..explore.strategies.points import waiting

MOST_TURNS = 200
"""Races of one run that are turned round at most."""
NO_PAIR = ("", "")
"""Where the order of no two steps decides: the run fails whichever of them comes first."""


class Bucket(NamedTuple):
    """What findings of one bug have in common."""

    family: str
    """The scenario, whatever its parameters."""
    oracle: str
    pair: tuple[str, str]
    """`actor: action` of two conflicting steps, numbers left out, in alphabetical order."""

    @property
    def reason(self) -> str:
        """The pair in one line."""
        return " / ".join(self.pair) if self.pair != NO_PAIR else "no order of two steps decides it"

    @property
    def sentence(self) -> str:
        """The pair as a sentence."""
        return f"Decided by {self.reason}." if self.pair != NO_PAIR else "No order of two steps decides it."


def failure_key(execution: Execution) -> str:
    """What two failing runs have in common that need not both be shrunk: cheap, and finer than a bucket."""
    finding = execution.finding
    assert finding is not None
    parts = [*finding.signature]
    end = finding.step
    if end < len(execution.steps):
        actor, step = execution.actors[end], execution.steps[end]
        parts.append(_named(execution, actor, step))
        for index in range(end - 1, -1, -1):
            if execution.actors[index] != actor and races(execution.steps[index], step):
                parts.append(_named(execution, execution.actors[index], execution.steps[index]))
                break
    return "\n".join(parts)


def deciding_pair(driver: Controlled, make_world: Callable[[], World], execution: Execution) -> tuple[str, str]:
    """The two conflicting steps whose order decides: of those orders that the run cannot fail without, the last one.

    Found by experiment: each pair is turned round, the rest of the run left as it was as far as possible. Of a deadlock
    the steps that never came have a part in it.
    """
    finding = execution.finding
    assert finding is not None
    if finding.outcome in ENDLESS:
        return NO_PAIR  # it goes on and on: thousands of races, none of them the last
    story = _Story(execution)
    for first, second in islice(story.last_races(_cone(story.past, finding.step)), MOST_TURNS):
        again = driver.run(make_world(), Follow(story.turned(first, second)))
        passes = again.finding is None or again.finding.signature != finding.signature
        if passes and story.is_turned(again, first, second):
            one, other = sorted((_named(execution, *story.events[first]), _named(execution, *story.events[second])))
            return one, other
    return NO_PAIR


def exact_hash(family: str, execution: Execution) -> str:
    """A digest of the canonical happens-before order: who did what after which steps of whom, up to the finding.

    Runs that differ only in the order of independent steps have the same.
    """
    finding = execution.finding
    assert finding is not None
    past = causality_of(execution).past
    every = rows(execution, past)
    story = sorted(every[event] for event in _cone(past, finding.step))
    packed: bytes = msgpack.packb([family, finding.outcome.value, finding.signature, story])
    return hashlib.sha256(packed).hexdigest()[:16]


def _named(execution: Execution, actor: int, step: Step) -> str:
    return kind(f"{execution.world.actors[actor].name}: {step.what}")


def _cone(past: list[int], end: int) -> list[int]:
    """The events that the finding at step `end` depends on; all, if it came when the world was at rest."""
    if end >= len(past):
        return list(range(len(past)))
    return [event for event in range(end + 1) if past[end] >> event & 1]


class _Story:
    """The steps of a run, with those that its actors still waited for if it came to rest, and what was before what."""

    def __init__(self, execution: Execution) -> None:
        finding = execution.finding
        assert finding is not None
        causality = causality_of(execution)
        self.events = list(zip(execution.actors, execution.steps, strict=True))
        self.plan = plan_of(execution)
        self.past = causality.past
        if finding.step >= len(self.events):
            for actor, step in waiting(execution):
                causality.add(actor, step)
                self.events.append((actor, step))
                self.plan += ((actor, 0),)

    def last_races(self, among: list[int]) -> Iterator[tuple[int, int]]:
        """The races of some events, the last first; those that others order anyway are left out."""
        past, events = self.past, self.events
        for second in reversed(among):
            covered = 0
            for first in reversed([event for event in among if event < second and past[second] >> event & 1]):
                if not covered >> first & 1:
                    covered |= past[first]
                    if events[first][0] != events[second][0] and races(events[first][1], events[second][1]):
                        yield first, second

    def turned(self, first: int, second: int) -> Plan:
        """The plan with `second` before `first`, and with what depends on `first` after both."""
        between = range(first + 1, second)
        free = [event for event in between if not self.past[event] >> first & 1]
        bound = [event for event in between if self.past[event] >> first & 1]
        order = [*range(first), *free, second, first, *bound, *range(second + 1, len(self.plan))]
        return tuple(self.plan[event] for event in order)

    def is_turned(self, run: Execution, first: int, second: int) -> bool:
        """Whether `second` comes before `first` in that run; it may not have been possible."""
        places = []
        for event in (first, second):
            actor = self.events[event][0]
            nth = sum(who == actor for who, _ in self.events[: event + 1])
            own = [number for number, who in enumerate(run.actors) if who == actor]
            places.append(own[nth - 1] if nth <= len(own) else len(run.actors))
        return places[1] < places[0] and run.steps[places[1]].what == self.events[second][1].what
