"""A turn at a proof: search a subtree for a while, in this process or in a worker process."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import ParamSpec, TypeVar

import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.events import Outcome
from actors.runtime.execution import Execution
from actors.runtime.world import World

from .explore.dpor import Dpor
from .explore.search import Budget, Report, explore
from .explore.stack import Stack
from .terms import Terms

TURN = 0.5
"""Seconds of search between two looks at the clock, the checkpoint and Ctrl-C."""
SHORT_TURN = 0.05
"""The same while there are too few subtrees to keep all workers busy: what comes back is cut."""
P = ParamSpec("P")
R = TypeVar("R")


class _Found(Exception):
    """Ends a turn from within."""


async def take_turn(
    driver: Controlled, make_world: Callable[[], World], terms: Terms, strategy: Dpor, seconds: float
) -> Report:
    """What a while of the search saw; `strategy.stack` says what is left."""
    report = Report()

    def watch(execution: Execution) -> None:
        finding = execution.finding
        if finding is not None and finding.outcome is not Outcome.BOUND and not terms.keep_going:
            raise _Found

    try:
        await explore(driver, make_world, strategy, Budget(seconds=seconds), watch=watch, report=report)
    except _Found:
        strategy.more()  # what was seen is not to be seen again
    return report


def search(terms: Terms, task: bytes, seconds: float) -> tuple[Report, bytes]:
    """One worker's turn at a subtree: what it saw, and what is left."""
    make_world = _worlds(terms)
    strategy = Dpor(Stack.unpack(task))

    async def main() -> Report:
        async with controlled() as driver:
            return await take_turn(driver, make_world, terms, strategy, seconds)

    return trio.run(main), strategy.stack.pack()


@contextmanager
def workers(jobs: int) -> Iterator[Callable[..., Future[tuple[Report, bytes]]]]:
    """A way to have functions called in `jobs` worker processes.

    Ctrl-C goes to the whole process group, and what it means is for the parent to say: it is blocked in workers.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_end_with_parent) as pool:

        def submit(function: Callable[P, R], *arguments: P.args, **options: P.kwargs) -> Future[R]:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                return pool.submit(function, *arguments, **options)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)

        yield submit


def _end_with_parent() -> None:
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
