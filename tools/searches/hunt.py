"""The hunt of `fuzz`: the search loop of `tools.explore`, with Ctrl-C, a digest, and each new finding reported while
the search goes on."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution

from ..experiments.experiment import Experiment
from ..experiments.terms import Terms
from ..explore.search import Budget, Report, Strategy, explore
from ..terminal.exits import Refusal
from ..terminal.interrupt import StopRequest
from .auditing import Auditor

DEFAULT_SCHEDULES = 10_000
LONGEST_SHRINKING = 60.0
"""Seconds in which what was found is made short, if no budget ends that sooner."""
_LEAST = 1.0
"""Seconds for that even when the budget is used up."""
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
OnFinding = Callable[[Execution], bool]
"""Called with the first run of each distinct finding; False ends the hunt."""


class _Stop(Exception):
    """Ends a search from within."""


@dataclass(slots=True)
class Hunt:
    """A hunt as it goes: the search's report, and what a command wants to know beyond it."""

    report: Report = field(default_factory=Report)
    digest: int = 0
    """CRC32 over all schedules, in order: equal for equal work."""
    interrupted: bool = False

    async def run(
        self,
        experiment: Experiment,
        strategy: Strategy,
        budget: Budget,
        *,
        on_finding: OnFinding,
        on_progress: Callable[[Report], None],
        stop: StopRequest,
    ) -> None:
        """Search until the budget ends, `on_finding` says so, or Ctrl-C was pressed."""
        begun = time.perf_counter()
        shared = self.report.shared

        def watch(execution: Execution) -> None:
            nonlocal shared
            if auditor is not None and self.report.shared == shared:  # else its steps announced less than they do now
                auditor.look(execution)
            shared = self.report.shared
            self.digest = zlib.crc32(bytes(execution.choices), self.digest)
            finding = execution.finding
            is_new = finding is not None and self.report.found[finding.signature].count == 1
            if is_new and not on_finding(execution):
                raise _Stop
            if stop.requested:
                self.interrupted = True
                raise _Stop

        async with controlled() as driver:
            terms = Terms(experiment.name, tuple(experiment.params.items()))
            auditor = None if experiment.session.audit else Auditor(driver, "fuzz", terms)
            try:
                await explore(
                    driver, experiment.world, strategy, budget, progress=on_progress, watch=watch, report=self.report
                )
            except _Stop:
                self.report.seconds = time.perf_counter() - begun


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
