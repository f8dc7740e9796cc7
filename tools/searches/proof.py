"""A proof as a job: DPOR on one core or several, with a checkpoint that continues it.

The verdict `holds` is only for a search that saw every inequivalent schedule within the stated bounds. The options of a
proof live in its checkpoint: continuing takes none, so that a resume cannot silently change what is proved.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import trio
from loguru import logger

from actors.runtime.primitives.events import Outcome
from actors.runtime.runners.controlled import Controlled, controlled

from ..experiments.terms import Terms
from ..explore.dpor.dpor import Dpor
from ..explore.dpor.estimate import Estimate, Estimator
from ..explore.dpor.share import Share
from ..explore.dpor.stack import Stack
from ..explore.search import Budget, FoundSignature, Report
from ..explore.states.states import States
from ..terminal.exits import Refusal, Unfinished
from ..terminal.interrupt import StopRequest
from ..traces.verdicts import worse
from . import checkpoint
from .auditing import Auditor
from .by_states import circle, search_states
from .prover import TURN, Turn, Wanted, fair_run, must_widen, search, take_turn, workers

CHECKPOINT_EVERY = 10.0


class _Interrupted(Exception):
    """Ctrl-C, noticed between two runs."""


@dataclass(slots=True)
class Proof:
    """A proof as it goes. `share` holds what is left of the search, `report` what was seen."""

    terms: Terms
    share: Share = field(default_factory=Share)
    report: Report = field(default_factory=Report)
    estimate: Estimate | None = None
    interrupted: bool = False
    path: Path | None = None
    failure: Refusal | None = None
    """Why a checkpoint could not be written; the proof went on all the same."""
    states: States | None = None
    """The states of the world, if it is searched by these."""
    _out: Callable[[], Collection[bytes]] = tuple
    """The subtrees that are being searched, as they are or were."""
    _estimator: Estimator = field(default_factory=Estimator)
    _code: bytes = b""
    _world: bytes = b""
    _end: float = math.inf
    _has_looked: bool = False
    """Whether it was asked what a run goes round in that reached its bound."""

    @property
    def violations(self) -> list[FoundSignature]:
        """What was found, in order; that a run reached the step bound shows nothing, so it is not among them."""
        found = [item for item in self.report.found.values() if item.finding.outcome is not Outcome.BOUND]
        return sorted(found, key=lambda item: item.at)

    @property
    def verdict(self) -> str:
        """What the search came to: violated, error, not found, vacuous, holds, or holds up to the bound: runs reached
        the one that was asked for, and every run of at most so many steps was seen."""
        if (found := worse(one.finding.outcome for one in self.violations)) is not None:
            return found
        if not self.report.complete:
            return "not found"
        if self.report.vacuous or not self.report.steps:
            return "vacuous"
        return "holds up to the bound" if self.report.bounded else "holds"

    @property
    def over(self) -> bool:
        """Nothing is left to search, or what was found ends the search."""
        return self.share.done or (bool(self.violations) and not self.terms.keep_going)

    def run(self, budget: float, jobs: int, on_progress: Callable[[Report], None], stop: StopRequest) -> None:
        """Search until the end, the budget (seconds of this run) or Ctrl-C; Refusal if the first checkpoint fails."""
        must_finish = self.terms.make_world()().must_finish
        if must_finish:
            self._run_by_states(must_finish, budget, on_progress, stop)
            return
        if self.path is not None:
            self._code = checkpoint.code_digest(self.terms.scenario)
            self._world = checkpoint.world_digest(self.terms)
            self._write()
        if not self.report.schedules:
            self._look_for_livelock()
        begun = written = time.monotonic()
        self._end = begun + budget
        before = self.report.seconds

        def turn_over() -> bool:
            nonlocal written
            now = time.monotonic()
            self.report.seconds = before + now - begun
            self.report.exhausted = self.share.done
            self._guess()
            on_progress(self.report)
            if now - written >= CHECKPOINT_EVERY:
                written = now
                self._try_to_write()
            self.interrupted = stop.requested and not self.over
            return self.over or self.interrupted or now >= self._end

        if jobs == 1:
            trio.run(self._alone, turn_over, stop)
        else:
            self._together(jobs, turn_over, stop)
        self.report.seconds = before + time.monotonic() - begun
        self.report.exhausted = self.share.done
        self.report.complete = self.share.done and (self.share.everything or not self.report.bounded)
        self._try_to_write()

    def _run_by_states(
        self, must_finish: Sequence[str], budget: float, on_progress: Callable[[Report], None], stop: StopRequest
    ) -> None:
        """Who finishes under every fair schedule is asked of states: here no order is left out. On one process."""
        if self.path is not None:
            raise Refusal("prove --checkpoint: a search by states (world.finishes) keeps none; leave it out")
        self.states = states = States(must_finish)

        def progress(report: Report) -> None:
            on_progress(report)
            if stop.requested:
                raise _Interrupted

        async def main() -> None:
            async with controlled() as driver:
                make_world, most = self.terms.make_world(), Budget(seconds=budget)
                await search_states(driver, make_world, states, most, self.report, progress)

        try:
            trio.run(main)
        except _Interrupted:
            self.interrupted = True

    def _look_for_livelock(self) -> None:
        """One run that is fair. It counts if it never ends; else the search that follows has it among its own."""
        report = fair_run(self.terms)
        if any(found.finding.outcome is Outcome.LIVELOCK for found in report.found.values()):
            self.report.merge(report)

    async def _look_for_circle(self, driver: Controlled) -> None:
        """Once a run has reached its bound: whether it may go round in a circle for ever."""
        is_decided = bool(self.violations) or self.terms.bound is not None
        if self._has_looked or is_decided or not self.report.bounded:
            return
        self._has_looked = True
        execution = await circle(driver, self.terms.make_world())
        if execution is not None:
            self.report.add(execution)

    def _look_for_circle_now(self) -> None:
        async def main() -> None:
            async with controlled() as driver:
                await self._look_for_circle(driver)

        trio.run(main)

    def _turn(self, most: float) -> float:
        """The seconds of the next turn: the budget is not to be overdrawn."""
        return min(most, max(self._end - time.monotonic(), 0.0))

    def _guess(self) -> None:
        runs, explored = self.report.schedules, self.share.explored
        if self._estimator.is_due(runs):
            self._estimator.note(runs, explored)
        self.estimate = self._estimator.estimate(runs, explored)

    def _write(self) -> None:
        if self.path is not None:
            left = self.share.pack(self._out())
            checkpoint.write(self.path, self.terms, left, self.report, self._code, self._world)
            self.failure = None

    def _try_to_write(self) -> None:
        try:
            self._write()
        except Refusal as refusal:
            logger.warning("{}", refusal)
            self.failure = refusal

    def _widen(self) -> bool:
        """Begin anew if a run reached a bound that was asked for; what never ends stays found."""
        is_decided = bool(self.violations) and not self.terms.keep_going
        if is_decided or not self.report.bounded or not must_widen(self.terms, self.share.everything):
            return False
        endless = {key: item for key, item in self.report.found.items() if item.finding.outcome is Outcome.LIVELOCK}
        count = sum(item.count for item in endless.values())
        self.report = Report(count, failing=count, bounded=count, seconds=self.report.seconds, found=endless)
        self.share = Share(self.share.hungry, Stack(everything=True))
        return True

    def _take_up(self, part: Report, share: Share) -> bool:
        """Count what a turn saw; or begin anew, which is answered, if it showed that steps share more than was known:
        then what others find that began before counts no longer."""
        if not part.shared:
            self.report.merge(part)
            return False
        self.terms = replace(self.terms, shared=part.shared)
        self.report = Report(seconds=self.report.seconds)
        self.share = Share(share.hungry, Stack(everything=share.everything))
        self._estimator = Estimator()
        return True

    async def _alone(self, turn_over: Callable[[], bool], stop: StopRequest) -> None:
        self.share.hungry = 0
        over = self.over

        def must_end() -> bool:
            return stop.requested or time.monotonic() >= self._end

        async with controlled() as driver:
            while not over:
                share, everything = self.share, self.share.everything
                make_world = self.terms.make_world(stops=everything)
                before = self.report.schedules
                auditor = Auditor(driver, "prove", self.terms, before=before, stops=everything)
                while not over and share is self.share:
                    task = share.take()
                    assert task is not None
                    strategy = Dpor(Stack.unpack(task), must_end=must_end)
                    self._out = partial(_left, strategy)
                    while not over and not strategy.stack.exhausted and share is self.share:
                        turn = self._turn(TURN)
                        part = await take_turn(driver, make_world, self.terms, strategy, turn, auditor)
                        if self._take_up(part, share) or self._widen():
                            self._out = tuple
                        await self._look_for_circle(driver)
                        share.progressed(strategy.stack)
                        over = not strategy.stack.exhausted and turn_over()
                    share.give(strategy.stack.pack())
                    self._out = tuple
                    over = turn_over() or over

    def _together(self, jobs: int, turn_over: Callable[[], bool], stop: StopRequest) -> None:
        """Worker processes, each with a subtree at a time."""
        self.share.hungry = 2 * jobs
        running: dict[Future[tuple[Report, bytes]], tuple[Share, bytes]] = {}
        self._out = lambda: [task for share, task in running.values() if share is self.share]
        wanted, over = Wanted(), self.over
        try:
            with workers(jobs, wanted) as submit:
                while running or not over:
                    while not over and len(running) < jobs and (task := self.share.take()) is not None:
                        turn = Turn(self._turn(TURN), self._end, self.report.schedules)
                        try:
                            running[submit(search, self.terms, task, turn)] = self.share, task
                        except BrokenProcessPool:
                            self.share.give(task)  # or the checkpoint would not have it, and a resume prove too much
                            raise
                    wanted.set(over or len(running) < jobs, end=stop.requested)
                    done, _ = wait(running, TURN, FIRST_COMPLETED)
                    for future in done:
                        part, packed = future.result()
                        share, _ = running.pop(future)
                        if share is self.share and not self._take_up(part, share):
                            share.give(packed)
                            self._widen()
                    if self.report.bounded and not self._has_looked:
                        self._look_for_circle_now()
                    over = turn_over() or over
        except BrokenProcessPool:
            if turn_over() and self.interrupted:
                return  # SIGTERM, to the workers too
            self._try_to_write()
            hint = "try again" if self.path is None else f"continue with --resume {self.path}"
            raise Unfinished(f"prove: a worker process was killed, so nothing is proved; {hint}") from None


def _left(strategy: Dpor) -> list[bytes]:
    return [strategy.stack.pack()]
