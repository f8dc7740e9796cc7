"""How many schedules of a cell take about a second: a worker runs a few, for a model may kill whoever runs it."""

from __future__ import annotations

import time
from dataclasses import dataclass

import trio

from actors.runtime.runners.controlled import controlled

from ..experiments.experiment import open_experiment
from ..experiments.strategies import find_strategy
from ..explore.search import Budget, Report, explore
from ..traces.determined import determined
from .cells import LARGEST, Cell

STEPS = 150_000
"""Steps in a shard: about a second. Counted, not timed, so that equal options mean equal shards on every machine."""
MOST_SECONDS = 4.0
"""A shard that would take longer, because its scenario's steps are slow, is cut smaller."""
_PROBES = 8


@dataclass(frozen=True, slots=True)
class Probe:
    """A piece of the work: find out how large a shard of a cell is to be."""

    cell: Cell


@dataclass(frozen=True, slots=True)
class Size:
    """What a probe comes to."""

    schedules: int


def run_probe(task: Probe) -> Size:
    """By the steps of a few schedules, and only if those are slow by the clock."""
    experiment = open_experiment(task.cell.scenario, dict(task.cell.params))

    async def probe() -> tuple[Report, float]:
        async with controlled() as driver:
            walk = find_strategy("walk")(0)
            await explore(driver, experiment.world, walk, Budget(schedules=1))  # imports, and remembers footprints
            begun = time.process_time()
            report = await explore(driver, experiment.world, walk, Budget(schedules=_PROBES))
            return report, time.process_time() - begun

    with determined(experiment):
        report, seconds = trio.run(probe)
    size = min(STEPS * _PROBES // max(report.steps, 1), LARGEST)
    unit: int = 10 ** max(len(str(size)) - 2, 0)
    size -= size % unit  # two digits: the mean of a few runs is no better than that
    while size > 1 and size * seconds / _PROBES > MOST_SECONDS:
        size //= 4
    return Size(max(size, 1))
