"""A proof as a job: DPOR on one core or several, with a checkpoint that continues it.

The verdict `holds` is only for a search that saw every inequivalent schedule within the stated bounds. The options of a
proof live in its checkpoint: continuing takes none, so that a resume cannot silently change what is proved.
"""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgpack
import trio

from actors.runtime.controlled import Controlled, controlled
from actors.runtime.events import Finding, Outcome
from actors.runtime.schedule import ParamValue
from actors.runtime.world import World

from .exits import Refusal
from .experiment import open_experiment
from .explore.dpor import Dpor, Estimate
from .explore.search import Budget, Found, Report, explore
from .explore.share import Share
from .explore.stack import Stack
from .interrupt import StopRequest
from .store import write_bytes

TURN = 0.5
"""Seconds of search between two looks at the clock, the checkpoint and Ctrl-C."""
CHECKPOINT_EVERY = 10.0
_KIND = "stopmarker-proof"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Terms:
    """What is proved, and within which bounds."""

    scenario: str
    params: tuple[tuple[str, ParamValue], ...]
    bound: int | None = None
    """Most steps in a run; None leaves it to the scenario."""
    keep_going: bool = False
    """Count all failing schedules instead of stopping at the first."""

    def make_world(self) -> Callable[[], World]:
        """A maker of worlds of this experiment, with the bound applied."""
        experiment = open_experiment(self.scenario, dict(self.params))

        def make() -> World:
            world = experiment.world()
            world.step_bound = self.bound or world.step_bound
            return world

        return make


@dataclass(slots=True)
class Proof:
    """A proof as it goes. `share` holds what is left of the search, `report` what was seen."""

    terms: Terms
    share: Share = field(default_factory=Share)
    report: Report = field(default_factory=Report)
    estimate: Estimate | None = None
    interrupted: bool = False
    checkpoint: Path | None = None
    _running: dict[Future[tuple[Report, bytes]], bytes] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Nothing is left to search, or what was found ends the search."""
        return self.share.done or (bool(self.report.found) and not self.terms.keep_going)

    def run(self, budget: float, jobs: int, on_progress: Callable[[Report], None], stop: StopRequest) -> None:
        """Search until the end, the budget (seconds, with earlier runs of the same proof) or Ctrl-C."""
        begun = written = time.monotonic()
        before = self.report.seconds

        def turn_over() -> bool:
            nonlocal written
            now = time.monotonic()
            self.report.seconds = before + now - begun
            on_progress(self.report)
            if now - written >= CHECKPOINT_EVERY:
                written = now
                self.save()
            self.interrupted = stop.requested
            return self.over or self.interrupted or self.report.seconds >= budget

        if jobs == 1:
            trio.run(self._alone, turn_over)
        else:
            self._together(jobs, turn_over)
        self.report.seconds = before + time.monotonic() - begun
        self.report.exhausted = self.share.done
        self.report.complete = self.share.done and not self.report.bounded
        self.save()

    def save(self) -> None:
        """Write the checkpoint, whole or not at all."""
        if self.checkpoint is not None:
            try:
                write_bytes(self.checkpoint, pack(self))
            except OSError as error:
                raise Refusal(f"write checkpoint {self.checkpoint}: {error.strerror or error}") from None

    async def _alone(self, turn_over: Callable[[], bool]) -> None:
        self.share.hungry = 0
        make_world = self.terms.make_world()
        async with controlled() as driver:
            over = self.over
            while not over:
                task = self.share.take()
                assert task is not None
                part, packed, self.estimate = await _turn(driver, make_world, self.terms, task)
                self._merge(part)
                self.share.give(packed)
                over = turn_over()

    def _together(self, jobs: int, turn_over: Callable[[], bool]) -> None:
        """Worker processes, each with a subtree at a time."""
        self.share.hungry = 2 * jobs
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(jobs, mp_context=spawn, initializer=_ignore_interrupts) as pool:
            over = self.over
            try:
                while self._running or not over:
                    while not over and len(self._running) < jobs and (task := self.share.take()) is not None:
                        self._running[pool.submit(_search, self.terms, task)] = task
                    done, _ = wait(self._running, TURN, FIRST_COMPLETED)
                    for future in done:
                        part, packed = future.result()
                        del self._running[future]
                        self._merge(part)
                        self.share.give(packed)
                    over = turn_over() or over
            except BrokenProcessPool:
                raise Refusal(
                    "prove: a worker process was killed, so nothing is proved; try again, or --resume"
                ) from None

    def _merge(self, part: Report) -> None:
        seconds = self.report.seconds
        self.report.merge(part)
        self.report.seconds = seconds


async def _turn(
    driver: Controlled, make_world: Callable[[], World], terms: Terms, task: bytes
) -> tuple[Report, bytes, Estimate]:
    """Search a subtree for a while: what was seen, what is left, how much that may be."""
    strategy = Dpor(Stack.unpack(task))
    part = await explore(driver, make_world, strategy, Budget(seconds=TURN), stop_at_first=not terms.keep_going)
    estimate = strategy.estimate()
    return part, strategy.stack.pack(), estimate


def _ignore_interrupts() -> None:
    """Ctrl-C goes to the whole process group; the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _search(terms: Terms, task: bytes) -> tuple[Report, bytes]:
    """One worker's turn at a subtree."""
    make_world = _worlds(terms)

    async def main() -> tuple[Report, bytes]:
        async with controlled() as driver:
            part, packed, _ = await _turn(driver, make_world, terms, task)
        return part, packed

    return trio.run(main)


@cache
def _worlds(terms: Terms) -> Callable[[], World]:
    """Once a process: its session remembers footprints from turn to turn."""
    return terms.make_world()


def pack(proof: Proof) -> bytes:
    """A checkpoint: terms, what is left, what was seen."""
    terms, report = proof.terms, proof.report
    found = [
        [
            [str(item.finding.outcome), item.finding.oracle, item.finding.message, item.finding.step],
            list(item.finding.objects),
            list(item.schedule),
            item.at,
            item.count,
        ]
        for item in report.found.values()
    ]
    counts = [report.schedules, report.cut, report.failing, report.steps, report.bounded, report.seconds]
    data: bytes = msgpack.packb(
        [
            _KIND,
            _VERSION,
            [terms.scenario, [list(pair) for pair in terms.params], terms.bound, terms.keep_going],
            proof.share.pack(proof._running.values()),
            [counts, report.witnesses, found],
        ]
    )
    return data


def resume(path: Path) -> Proof:
    """The proof that a checkpoint describes; Refusal if it cannot be read."""
    try:
        kind, version, terms, share, seen = msgpack.unpackb(path.read_bytes(), strict_map_key=True)
        if kind != _KIND:
            raise ValueError("it is something else")
        if version != _VERSION:
            raise ValueError(f"version {version}, this program reads {_VERSION}")
        scenario, params, bound, keep_going = terms
        made = Terms(scenario, tuple((name, value) for name, value in params), bound, keep_going)
        return Proof(made, Share.unpack(share), _report(*seen), checkpoint=path)
    except OSError as error:
        raise Refusal(f"read checkpoint {path}: {error.strerror or error}") from None
    except (ValueError, TypeError, msgpack.UnpackException) as problem:
        raise Refusal(f"read checkpoint {path}: {str(problem) or 'not a checkpoint'}") from None


def _report(counts: Sequence[Any], witnesses: Mapping[str, bool], found: Sequence[Any]) -> Report:
    schedules, cut, failing, steps, bounded, seconds = counts
    report = Report(schedules, cut, failing, steps, bounded, seconds, witnesses=dict(witnesses))
    for (outcome, oracle, message, step), objects, schedule, at, count in found:
        finding = Finding(outcome=Outcome(outcome), oracle=oracle, message=message, step=step, objects=tuple(objects))
        report.found[finding.signature] = Found(finding, tuple(schedule), at, count)
    return report
