"""A turn at a proof: search a subtree for a while, in this process or in a worker process.

Workers are forked where that is safe (Linux, and no other thread): then they have all modules at once. A worker whose
turn is not over gives back what is left of its subtree when another one has nothing to do.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from typing import ParamSpec, TypeVar

import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.events import Outcome
from actors.runtime.execution import Execution
from actors.runtime.schedule import RandomWalk
from actors.runtime.world import World

from .explore.dpor import Dpor
from .explore.endless import Endless
from .explore.fair import Fair
from .explore.search import Budget, Report, explore
from .explore.stack import Stack
from .interrupt import Stopped, StopRequest, deaf, watch_worker
from .terms import Terms

TURN = 0.5
"""Seconds of search between two looks at the clock, the checkpoint and Ctrl-C."""
SHORT_TURN = 0.05
"""The least that a worker searches before it gives back what is left for others."""
AUDITED = 8
"""Runs that are audited before a proof."""
P = ParamSpec("P")
R = TypeVar("R")


class _Over(Exception):
    """Ends a turn from within."""


async def take_turn(
    driver: Controlled,
    make_world: Callable[[], World],
    terms: Terms,
    strategy: Dpor,
    seconds: float,
    enough: Callable[[], bool] = bool,
) -> Report:
    """What a while of the search saw, until it is `enough`; `strategy.stack` says what is left."""
    report = Report()

    def watch(execution: Execution) -> None:
        finding = execution.finding
        if finding is not None and finding.outcome is not Outcome.BOUND and not terms.keep_going:
            raise _Over
        if enough():
            raise _Over

    try:
        await explore(driver, make_world, strategy, Budget(seconds=seconds), watch=watch, report=report)
    except _Over:
        strategy.more()  # what was seen is not to be seen again
    return report


def fair_run(terms: Terms) -> Report:
    """A run in which everybody goes in turn from the beginning: what never ends in it no bound can prove right."""

    async def main() -> Report:
        async with controlled() as driver:
            return await explore(driver, terms.make_world(), Fair(0), Budget(schedules=1))

    return trio.run(main)


def audited_runs(terms: Terms, stop: StopRequest) -> Report:
    """Some random runs that are audited: a proof is worth nothing if a step touches what it does not declare.

    After Ctrl-C those that were made.
    """
    report = Report()

    async def main() -> None:
        async with controlled() as driver:
            make = stop.between(replace(terms, audit=True).make_world())
            with suppress(Stopped):
                await explore(driver, make, Endless(RandomWalk(0)), Budget(schedules=AUDITED), report=report)

    trio.run(main)
    return report


class Wanted:
    """A flag that all processes see: somebody has nothing to do."""

    def __init__(self) -> None:
        self._flag = multiprocessing.RawValue("b", 0)

    def __bool__(self) -> bool:
        return bool(self._flag.value)

    def set(self, wanted: bool) -> None:
        """Ask for work, or no longer."""
        self._flag.value = wanted


_wanted: list[Wanted] = []
"""In a worker, the flag of its proof."""


def search(terms: Terms, task: bytes, seconds: float) -> tuple[Report, bytes]:
    """One worker's turn at a subtree: what it saw, and what is left."""
    make_world = _worlds(terms)
    strategy = Dpor(Stack.unpack(task))
    least = time.monotonic() + SHORT_TURN

    def enough() -> bool:
        return any(_wanted) and time.monotonic() >= least

    async def main() -> Report:
        async with controlled() as driver:
            return await take_turn(driver, make_world, terms, strategy, seconds, enough)

    return trio.run(main), strategy.stack.pack()


@contextmanager
def workers(jobs: int, wanted: Wanted) -> Iterator[Callable[..., Future[tuple[Report, bytes]]]]:
    """A way to have functions called in `jobs` worker processes.

    They do not hear Ctrl-C.
    """
    is_safe = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if is_safe else "spawn")
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(wanted,)) as pool:

        def submit(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> Future[R]:
            with deaf(signal.SIGINT), warnings.catch_warnings():
                # Later Pythons warn of threads: those of numpy know how to be forked.
                warnings.simplefilter("ignore", DeprecationWarning)
                return pool.submit(function, *arguments, **options)

        try:
            yield submit
        except BaseException:
            for worker in multiprocessing.active_children():
                worker.kill()  # else the pool waits for a turn that may never end
            raise


def _begin(wanted: Wanted) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # by which the pool ends the others when one was killed
    _wanted[:] = [wanted]
    watch_worker()
    end_with_parent()


def end_with_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""

    def watch() -> None:
        parent = multiprocessing.parent_process()
        assert parent is not None
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@cache
def _worlds(terms: Terms) -> Callable[[], World]:
    """Once a process: its session remembers footprints from turn to turn."""
    return terms.make_world()
