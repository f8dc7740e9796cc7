"""A plan: who goes at each step, with which outcome; followed as far as a run allows, and reordered for reading."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby, pairwise

from actors.runtime.runs.causality import bits, ordered
from actors.runtime.runs.record import Record

from ..strategies.bounded import round_robin

Plan = tuple[tuple[int, int], ...]
"""(actor, outcome) for each step, forced steps included."""

MOST_STATES = 5_000
"""Partial orders with more cuts than this are not searched for their plainest order."""


def plan_of(execution: Record) -> Plan:
    """What a run did."""
    return tuple(zip(execution.actors, execution.outcomes, strict=True))


def switches(plan: Plan) -> int:
    """How often the actor changes."""
    return sum(before[0] != after[0] for before, after in pairwise(plan))


def cost(plan: Plan) -> tuple[int, int, int, Plan]:
    """What is easier to read is cheaper: fewer switches, fewer steps, plainer outcomes, earlier actors first."""
    return switches(plan), len(plan), sum(outcome for _, outcome in plan), plan


def blocks(plan: Plan) -> list[Plan]:
    """The plan cut where the actor changes."""
    return [tuple(entries) for _, entries in groupby(plan, key=lambda entry: entry[0])]


def join(parts: Sequence[Plan]) -> Plan:
    """The plan of some blocks."""
    return tuple(entry for part in parts for entry in part)


class Follow:
    """Takes the plan's entries in order, leaves out those that are not possible, and then lets the actor go on."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._next = 0
        self._seen = 0
        self._chosen = -1

    def start(self, execution: Record) -> None:
        """Begin at the first entry."""
        self._execution = execution
        self._next = self._seen = 0

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """The planned choice as far as there is one."""
        execution, plan = self._execution, self._plan
        self._catch_up()
        if outcome:
            actor = self._chosen if self._chosen >= 0 else execution.enabled()[0]
            planned = plan[self._next] if self._next < len(plan) else (-1, 0)
            return planned[1] if planned[0] == actor and planned[1] in options else options[0]
        while self._next < len(plan) and plan[self._next][0] not in options:
            self._next += 1
        if self._next < len(plan):
            self._chosen = plan[self._next][0]
        else:
            self._chosen = round_robin(execution.actors[-1] if execution.actors else 0, options)[0]
        return self._chosen

    def finish(self) -> None:
        """Keep nothing of the run."""

    def _catch_up(self) -> None:
        """Entries that were carried out since the last choice are done with."""
        execution, plan = self._execution, self._plan
        for index in range(self._seen, execution.index):
            if self._next < len(plan) and plan[self._next][0] == execution.actors[index]:
                self._next += 1
            self._chosen = -1
        self._seen = execution.index


def plainest(plan: Plan, past: Sequence[int], last: int | None = None) -> Plan:
    """The equivalent order with the fewest switches, of those the first; only what `last` depends on, if given.

    In such an order an actor may always go on as far as it can, so only the order of whole blocks is searched.
    """
    events = [event for event in range(len(plan)) if last is None or past[last] >> event & 1]
    wanted = sum(1 << event for event in events)
    own: dict[int, int] = {}
    for event in events:
        own[plan[event][0]] = own.get(plan[event][0], 0) | 1 << event
    actors = sorted(own)
    level: dict[int, list[int]] = {0: []}  # what was done -> in which order
    seen = {0}
    while level and wanted not in level:
        following: dict[int, list[int]] = {}
        for done, order in level.items():
            for actor in actors:
                now, block = done, []
                for bit in bits(own[actor] & ~done):
                    event = bit.bit_length() - 1
                    if past[event] & wanted & ~now != bit:
                        break
                    now |= bit
                    block.append(event)
                if block and now not in seen:
                    seen.add(now)
                    following[now] = order + block
        if len(seen) > MOST_STATES:
            return tuple(plan[event] for event in events)
        level = following
    return tuple(plan[event] for event in level.get(wanted, []))


def aligned(plan: Plan, past: Sequence[int], rank: Sequence[float]) -> Plan:
    """The equivalent order in which events of low rank come as early as they can; for reading two runs side by side."""
    return tuple(plan[event] for event in ordered(past, rank))
