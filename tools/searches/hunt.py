"""The hunt of `fuzz`: the search loop of `tools.explore`, with Ctrl-C, a digest, and each new finding reported while
the search goes on."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from actors.runtime.primitives.events import Outcome
from actors.runtime.primitives.sharing import Shared
from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.execution import Execution

from ..experiments.experiment import Experiment
from ..experiments.terms import Terms
from ..explore.search import Budget, Report, Strategy, explore
from ..explore.states.states import States
from ..terminal.exits import Refusal
from ..terminal.interrupt import StopRequest
from .auditing import Auditor
from .by_states import circle, search_states

DEFAULT_SCHEDULES = 10_000
LONGEST_SHRINKING = 60.0
"""Seconds in which what was found is made short, if no budget ends that sooner."""
_LEAST = 1.0
"""Seconds for that even when the budget is used up."""
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class _Stop(Exception):
    """Ends a search from within."""


class _Interrupted(Exception):
    """Ctrl-C, noticed between two runs."""


class _AtBound(Exception):
    """A run has reached its bound: perhaps it goes round in a circle."""


@dataclass(slots=True)
class Hunt:
    """A hunt as it goes: the search's report, and what a command wants to know beyond it."""

    report: Report = field(default_factory=Report)
    digest: int = 0
    """CRC32 over all schedules, in order: equal for equal work."""
    interrupted: bool = False
    states: States | None = None
    """The states of the world, if it was searched by these."""
    _shared: Shared = ()
    _has_looked: bool = False
    """Whether it was asked what a run goes round in that reached its bound."""

    async def run(
        self,
        experiment: Experiment,
        strategy: Strategy,
        budget: Budget,
        *,
        keep_going: bool,
        on_progress: Callable[[Report], None],
        stop: StopRequest,
    ) -> None:
        """Search until the budget ends, something is found (unless it is to `keep_going`), or Ctrl-C was pressed.

        If somebody must finish under every fair schedule, the strategy is none of these, but a search by states.
        """
        begun = time.perf_counter()
        try:
            async with controlled() as driver:
                must_finish = experiment.world().must_finish
                if must_finish:
                    await self._by_states(driver, experiment, must_finish, budget, on_progress, stop)
                    return
                look = partial(self._watch, self._auditor(driver, experiment), keep_going, stop)
                search = partial(explore, driver, experiment.world, strategy, budget, progress=on_progress, watch=look)
                try:
                    await search(report=self.report)
                except _AtBound:
                    self._has_looked = True
                    await self._look_for_circle(driver, experiment)
                    if keep_going:
                        await search(report=self.report)
        except (_Stop, _Interrupted) as end:
            self.interrupted = isinstance(end, _Interrupted)
        self.report.seconds = time.perf_counter() - begun

    def _auditor(self, driver: Controlled, experiment: Experiment) -> Auditor | None:
        terms = Terms(experiment.name, tuple(experiment.params.items()))
        return None if experiment.session.audit else Auditor(driver, "fuzz", terms)

    def _watch(self, auditor: Auditor | None, keep_going: bool, stop: StopRequest, execution: Execution) -> None:
        """Look at a run that was made."""
        if auditor is not None and self.report.shared == self._shared:  # else its steps announced less than they do now
            auditor.look(execution)
        self._shared = self.report.shared
        self.digest = zlib.crc32(bytes(execution.choices), self.digest)
        finding = execution.finding
        if finding is not None and finding.outcome is Outcome.BOUND and not self._has_looked:
            raise _AtBound
        is_new = finding is not None and self.report.found[finding.signature].count == 1
        if is_new and not keep_going:
            raise _Stop
        if stop.requested:
            raise _Interrupted

    async def _look_for_circle(self, driver: Controlled, experiment: Experiment) -> None:
        """A run has reached its bound. If some run goes round in a circle for ever, that is the finding instead."""
        execution = await circle(driver, experiment.world)
        if execution is None:
            return
        report = self.report
        for key in [key for key, one in report.found.items() if one.finding.outcome is Outcome.BOUND]:
            report.failing -= report.found.pop(key).count
        report.add(execution)

    async def _by_states(
        self,
        driver: Controlled,
        experiment: Experiment,
        must_finish: Sequence[str],
        budget: Budget,
        on_progress: Callable[[Report], None],
        stop: StopRequest,
    ) -> None:
        self.states = States(must_finish, budget.schedules or DEFAULT_SCHEDULES)

        def progress(report: Report) -> None:
            on_progress(report)
            if stop.requested:
                raise _Interrupted

        most = Budget(seconds=budget.seconds)
        await search_states(driver, experiment.world, self.states, most, self.report, progress)


def shrinking_until(end: float) -> float:
    """Until when (`time.monotonic`) findings may be shrunk in a command whose budget ends at `end`."""
    now = time.monotonic()
    return now + min(max(end - now, _LEAST), LONGEST_SHRINKING)


def parse_budget(text: str) -> float:
    """The seconds of `60s`, `2m`, `8h`, `1d`; Refusal for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds < float("inf"):
        raise Refusal(f"budget {text!r}: expected a number above 0 with a unit, such as 60s, 2m or 8h")
    return seconds
