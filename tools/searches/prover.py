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
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, ParamSpec, TypeVar

import trio

from actors.runtime.primitives.events import Outcome
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.world import World

from ..experiments.terms import Terms
from ..explore.dpor.dpor import Dpor
from ..explore.dpor.stack import Stack
from ..explore.search import Budget, Report, explore
from ..explore.strategies.fair import Fair
from ..terminal.interrupt import deaf, watch_worker
from .auditing import Auditor

TURN = 0.5
"""Seconds of search between two looks at the clock, the checkpoint and Ctrl-C."""
SHORT_TURN = 0.05
"""The least that a worker searches before it gives back what is left for others."""
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
    auditor: Auditor,
    enough: Callable[[], bool] = bool,
) -> Report:
    """What a while of the search saw, until it is `enough`; `strategy.stack` says what is left.

    Refusal, or Diverged, if a run that is made again comes to something else: then nothing can be proved.
    """
    report = Report()

    def watch(execution: Execution) -> None:
        if report.shared:
            raise _Over
        finding = execution.finding
        decides = finding is not None and finding.outcome is not Outcome.BOUND and not terms.keep_going
        auditor.look(execution, must=decides)
        if decides or enough() or (report.bounded and must_widen(terms, strategy.stack.everything)):
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


def must_widen(terms: Terms, everything: bool) -> bool:
    """Whether a search that met a run at its bound has to begin anew and try everything at every point: it is asked for
    what happens within that bound, and races alone do not tell what a run that was cut there hides."""
    return terms.bound is not None and not everything


class Wanted:
    """What all processes see: whether somebody has nothing to do, and whether all are to end at once."""

    def __init__(self) -> None:
        self._flag = multiprocessing.RawValue("b", 0)

    def __bool__(self) -> bool:
        return bool(self._flag.value)

    @property
    def end(self) -> bool:
        """Whether a turn is to end even amid the races of a run."""
        return bool(self._flag.value == 2)

    def set(self, wanted: bool, *, end: bool = False) -> None:
        """Ask for work, or no longer; or for the end."""
        self._flag.value = 2 if end else wanted


_wanted: list[Wanted] = []
"""In a worker, the flag of its proof."""


class Turn(NamedTuple):
    """What a worker is told of its turn."""

    seconds: float
    end: float
    """When the budget ends, of `time.monotonic`."""
    before: int
    """Runs of the whole search so far."""


def search(terms: Terms, task: bytes, turn: Turn) -> tuple[Report, bytes]:
    """One worker's turn at a subtree: what it saw, and what is left."""
    stack = Stack.unpack(task)
    make_world = _worlds(terms, stack.everything)
    least = time.monotonic() + SHORT_TURN

    def enough() -> bool:
        return any(_wanted) and time.monotonic() >= least

    def must_end() -> bool:
        return any(wanted.end for wanted in _wanted) or time.monotonic() >= turn.end

    strategy = Dpor(stack, must_end=must_end)

    async def main() -> Report:
        async with controlled() as driver:
            auditor = Auditor(driver, "prove", terms, before=turn.before, stops=stack.everything)
            return await take_turn(driver, make_world, terms, strategy, turn.seconds, auditor, enough)

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
def _worlds(terms: Terms, stops: bool) -> Callable[[], World]:
    """Once a process: its session remembers footprints from turn to turn."""
    return terms.make_world(stops=stops)
