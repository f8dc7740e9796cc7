"""What a worker does with a shard: search, and say in a few rows what was seen; nothing else leaves the worker."""

from __future__ import annotations

import resource
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule

from ..experiments.experiment import open_experiment
from ..experiments.strategies import find_strategy
from ..explore.search import Budget, Report, Strategy, explore
from .bucket import failure_key
from .cells import Shard
from .coverage import Coverage

LOOK_FIRST, LOOK_EVERY = 64, 16
"""So many schedules of a shard are looked at for their pairs, then each so-many-th: to look at all costs a tenth of the
search, and shows little more."""
TURNS = ("surw", "pct", "greybox", "pos", "surw", "pct", "walk")
"""How the portfolio goes on after a cell's first shard, which tries what is cheap and sure: shard by shard in turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The failing runs of a shard that look alike before they are shrunk; `schedule` and `at` are of the first."""

    key: str
    outcome: str
    signature: tuple[str, ...]
    count: int
    at: int
    """Which schedule of the shard it was, from 1."""
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a shard came to."""

    schedules: int
    steps: int
    failing: int
    complete: bool
    """Every behaviour of the cell was seen: further shards would show nothing."""
    seconds: float
    memory: int
    """Bytes that the worker holds."""
    failures: tuple[Failure, ...]
    coverage: Mapping[str, int]


def strategy_of(shard: Shard) -> Strategy:
    """The strategy of a shard."""
    name = shard.cell.strategy
    if name == "portfolio" and shard.number:
        name = TURNS[(shard.number - 1) % len(TURNS)]
    return find_strategy(name)(shard.seed)


def run_shard(shard: Shard) -> Seen:
    """Search; equal shards come to the same, but for `seconds` and `memory`."""
    begun = time.perf_counter()
    experiment = open_experiment(shard.cell.scenario, dict(shard.cell.params))
    coverage = Coverage(every=LOOK_EVERY, first=LOOK_FIRST)
    first: dict[str, tuple[str, tuple[str, ...], int, Schedule]] = {}
    counts: dict[str, int] = {}
    report = Report()

    def watch(execution: Execution) -> None:
        coverage.add(execution)
        finding = execution.finding
        if finding is not None:
            key = failure_key(execution)
            counts[key] = counts.get(key, 0) + 1
            if key not in first:
                assert execution.failing is not None
                first[key] = finding.outcome.value, finding.signature, report.schedules, execution.failing

    async def main() -> None:
        async with controlled() as driver:
            budget = Budget(schedules=shard.schedules)
            await explore(driver, experiment.world, strategy_of(shard), budget, watch=watch, report=report)

    trio.run(main)
    return Seen(
        schedules=report.schedules,
        steps=report.steps,
        failing=report.failing,
        complete=report.complete,
        seconds=time.perf_counter() - begun,
        memory=held_bytes(),
        failures=tuple(
            Failure(key=key, outcome=outcome, signature=signature, count=counts[key], at=at, schedule=schedule)
            for key, (outcome, signature, at, schedule) in first.items()
        ),
        coverage=coverage.counts,
    )


def held_bytes() -> int:
    """The memory that this process holds now, or where the system does not tell, the most that it ever held."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * resource.getpagesize()
