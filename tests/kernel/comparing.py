"""Compares what a search finds in a world with all interleavings of it: classes, final states, failures."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import NamedTuple

from actors.runtime.runs.execution import Execution
from actors.runtime.world import Session, World
from tests.comparison.enumeration import Classes, enumerate_all
from tests.comparison.program import Program
from tests.explore.searching import search
from tools.explore.dpor.dpor import Dpor

State = tuple[object, ...]
Build = Callable[[World], Callable[[], State]]
"""Fills a world; what it returns tells all that can be told of a run when it is over."""


class Compared(NamedTuple):
    """How many interleavings there are, how many classes of them, and how many of those fail; what they end in."""

    interleavings: int
    classes: int
    failing: int
    states: Set[object]


class _Machine:
    def __init__(self, build: Build, world: World) -> None:
        self.state = build(world)


def compare(build: Build, most: int = 20_000) -> Compared:
    """All interleavings of a world, which a search must show class by class; enumeration itself checks that all runs of
    one class end alike, and that no two neighbours without a race depend on each other."""
    classes = Classes()
    everything = enumerate_all(Program(()), classes, most, lambda _, world: _Machine(build, world))
    ends, session, state = [], Session(), list[Callable[[], State]]()

    def make() -> World:
        world = World(session)
        state[:] = [build(world)]
        return world

    def watch(execution: Execution) -> None:
        names = [execution.world.actors[number].name for number in execution.actors]
        kind = classes.of(names, execution.steps, execution.outcomes)
        ends.append((kind, state[0](), execution.finding is not None))

    report = search(make, Dpor(), watch=watch)
    assert not report.bounded
    assert len(ends) == len(everything.ends) == len({kind for kind, _, _ in ends})
    assert {kind for kind, _, _ in ends} == set(everything.ends)
    assert {end for _, end, _ in ends} == {end.state for end in everything.ends.values()}
    assert {kind for kind, _, failed in ends if failed} == set(everything.failures)
    states = frozenset(state for _, state, _ in ends)
    return Compared(everything.runs, len(ends), len(everything.failures), states)


def seen_by(build: Callable[[World, dict[str, object]], None]) -> Build:
    """A world whose actors write down what they saw."""

    def fill(world: World) -> Callable[[], State]:
        seen: dict[str, object] = {}
        build(world, seen)
        return lambda: tuple(sorted(seen.items()))

    return fill
