"""`stopmarker campaign start`: a matrix of scenarios, parameters and strategies, searched until it is stopped."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from tools import __version__
from tools.campaign.cells import CampaignOptions, make_matrix, parse_part
from tools.campaign.conduct import conduct, make_engine
from tools.campaign.sizing import PATIENCE, sized
from tools.campaign.store import create
from tools.campaign.work import code_of_all
from tools.campaign.workers import Workers
from tools.searches.hunt import DEFAULT_SCHEDULES, parse_budget
from tools.terminal.exits import Exit
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output
from tools.traces.store import check_writable


def main(
    out: Output,
    *,
    directory: str,
    scenarios: tuple[str, ...],
    param: tuple[str, ...],
    strategy: tuple[str, ...],
    schedules: int | None,
    budget: str | None,
    seed: int,
    size: int | None,
    shard: str,
    jobs: int | None,
    engine: str,
    scheduler: str | None,
) -> Exit:
    """Make the store, then run."""
    if schedules is None and budget is None:
        schedules = DEFAULT_SCHEDULES
    strategies = [name for given in strategy for name in given.split(",")]
    options = CampaignOptions(
        part=parse_part(shard),
        budget=None if budget is None else parse_budget(budget),
        cells=make_matrix(scenarios, param, strategies, size=size, schedules=schedules),
        seed=seed,
        schedules=schedules,
    )
    jobs = jobs or os.cpu_count() or 1
    facts = {
        "stopmarker": __version__,
        "code": code_of_all(options.all_cells),
        "seconds": 0.0,
        "jobs": jobs,
        "engine": engine,
        "scheduler": scheduler,
    }
    folder = Path(directory)
    check_writable(folder)
    with stop_request() as stop, closing(make_engine(engine, jobs, scheduler)) as chosen:
        with closing(Workers(jobs, PATIENCE)) as workers:
            options = replace(options, cells=sized(options.cells, schedules, workers, stop))
        with create(folder, options, facts) as store:
            return conduct(out, store, chosen, stop)
