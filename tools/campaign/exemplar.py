"""From a failing schedule to a finding that people can read: shrunk, in its bucket, with a trace that replays."""

from __future__ import annotations

from dataclasses import dataclass

import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule
from actors.runtime.runs.scheduler import Replay

from ..experiments.experiment import open_experiment
from ..explore.reasons.plan import plan_of, switches
from ..explore.reasons.shrink import shrink
from ..terminal.exits import Diverged
from ..traces.container import encode
from ..traces.trace import record
from .bucket import Bucket, deciding_pair, exact_hash
from .cells import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Shrinking:
    """A piece of the work: one failing schedule of a cell, to be made short."""

    cell: Cell
    signature: tuple[str, ...]
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """The shortest run of a finding."""

    bucket: Bucket
    exact: str
    """The digest of its happens-before order."""
    outcome: str
    message: str
    steps: int
    switches: int
    replays: int
    trace: bytes
    """The trace file."""


def run_shrinking(task: Shrinking) -> Exemplar:
    """Shrink, and name the bucket; a pure function of the task. Diverged if the schedule fails no more."""
    experiment = open_experiment(task.cell.scenario, dict(task.cell.params))

    async def main() -> tuple[Execution, tuple[str, str], int]:
        async with controlled() as driver:
            try:
                shrunk = shrink(driver, experiment.world, Replay(task.schedule), task.signature)
            except ValueError as problem:
                raise Diverged(f"{task.cell.label}: {problem}; is the scenario deterministic?") from None
            return shrunk.execution, deciding_pair(driver, experiment.world, shrunk.execution), shrunk.replays

    execution, pair, replays = trio.run(main)
    finding = execution.finding
    assert finding is not None
    return Exemplar(
        bucket=Bucket(experiment.name, finding.oracle, pair),
        exact=exact_hash(experiment.name, execution),
        outcome=finding.outcome.value,
        message=finding.message,
        steps=len(execution.steps),
        switches=switches(plan_of(execution)),
        replays=replays,
        trace=encode(record(experiment.recipe(execution.schedule), execution)),
    )
