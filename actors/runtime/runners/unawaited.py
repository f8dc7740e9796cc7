"""Steps that are made and never awaited: Python tells of each as it is dropped, and here that reaches the world.

`cpu.store(word, 0)` without `await` does nothing, and a proof over it proves something else. Python's own hook, which
only prints a warning, costs nothing while all is well. Where something is dropped late, the line on which that happens
may not be the one that made it: then the run is made again with Python noting where each coroutine is made.
"""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from ..primitives import failures
from ..primitives.events import Finding, Outcome
from ..primitives.failures import NEVER_AWAITED
from ..primitives.places import place, place_in
from ..primitives.ports import Port
from ..primitives.sync import Lock
from ..runs.execution import Execution
from ..runs.scheduler import Replay, ScheduleMismatch
from ..world import World
from .seat import Seat, admit, carry_on

_HOOK = "_warn_unawaited_coroutine"
"""What CPython calls with a coroutine that is dropped before its first step."""
_PYTHONS = getattr(warnings, _HOOK)
_BY_CPU = {
    method.__code__: f"cpu.{name}"
    for method, name in (
        (Lock.acquire, "lock"),
        (Lock.release, "unlock"),
        (Port.send, "send"),
        (Port.receive, "receive"),
    )
}
"""What a cpu hands on without a coroutine of its own, and people call by its name."""
_ORIGIN = 16
"""Frames that are noted of where a coroutine is made: the library's own lie between it and the scenario."""


class _Collector:
    """Whether Python frees what went unused long ago: that comes at any time, and belongs to no step."""

    at_work = False

    def __call__(self, phase: str, _: Mapping[str, int]) -> None:
        self.at_work = phase == "start"


_collector = _Collector()
gc.callbacks.append(_collector)


def tell(world: World | None) -> None:
    """From now on what is never awaited is told to `world`, or to nobody."""

    def hear(coroutine: Any) -> None:
        if world is not None and not _collector.at_work:
            origin = coroutine.cr_origin
            where = place((name, line) for name, line, _ in origin) if origin else place_in(sys._getframe(1))
            world.never_awaited(
                (world.is_full and _BY_CPU.get(coroutine.cr_code)) or _called(coroutine.__qualname__), where
            )

    setattr(warnings, _HOOK, hear)


def tell_python() -> None:
    """From now on it is Python's own business again."""
    setattr(warnings, _HOOK, _PYTHONS)


@contextmanager
def origins() -> Iterator[None]:
    """Have Python note where each coroutine is made."""
    depth = sys.get_coroutine_origin_tracking_depth()
    sys.set_coroutine_origin_tracking_depth(_ORIGIN)
    try:
        yield
    finally:
        sys.set_coroutine_origin_tracking_depth(depth)


def locate(execution: Execution) -> None:
    """If a run ended because something was never awaited, say where that was made, for which the run is made again."""
    finding, again = execution.finding, execution.world.again
    if finding is None or finding.oracle != NEVER_AWAITED or again is None or execution.failing is None:
        return
    with origins():
        found = _rerun(again(), Replay(execution.failing))
    if found is not None and found.oracle == NEVER_AWAITED:
        execution.finding = replace(finding, message=found.message, where=found.where)


def _rerun(world: World, scheduler: Replay) -> Finding | None:
    execution = Execution(world, scheduler)
    try:
        with seated(execution) as seats:
            admit(world, execution, seats)
            carry_on(world, execution, seats)
    except ScheduleMismatch:
        return None  # something else than the schedule decides, which other looks at the scenario tell
    return execution.finding


def leave(execution: Execution, abandon: Callable[[], bool]) -> None:
    """A run is over, or is given up: `abandon` its actors, let go of its world, and keep what only that shows.

    `abandon` says whether somebody was left. What an actor had made when it was left it might have awaited later.
    """
    world = execution.world
    tell(None)
    try:
        if not abandon() and execution.outcome is Outcome.QUIET:
            tell(world)
        world.end()
    finally:
        tell_python()
    execution.conclude()


@contextmanager
def seated(execution: Execution) -> Iterator[list[Seat]]:
    """The seats of a run that is made by hand, from its start to its end."""
    seats: list[Seat] = []
    execution.scheduler.start(execution)
    tell(execution.world)
    try:
        yield seats
    finally:
        leave(execution, partial(_abandon, execution, seats))
    execution.finish()


def _abandon(execution: Execution, seats: list[Seat]) -> bool:
    """End whoever is not done; whether there was somebody."""
    is_anybody_left = False
    for actor, seat in zip(execution.world.actors, seats, strict=False):
        actor.coroutine = None
        execution.world.current = actor.cpu.number  # it may still clean up, by its own cpu
        was_left = seat.abandon()
        if was_left is None:
            execution.world.tell(failures.deaf(actor.name, execution.index))
        is_anybody_left = is_anybody_left or was_left is not False
    return is_anybody_left


def _called(name: str) -> str:
    """What people write to call a coroutine function: a method by its object, a function by its name."""
    *owners, last = name.split(".")
    if not owners or owners[-1] == "<locals>":
        return last
    return f"{owners[-1].lower()}.{last}"
