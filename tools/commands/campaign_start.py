"""`stopmarker campaign start`: a matrix of scenarios, parameters and strategies, searched until it is stopped."""

from __future__ import annotations

import os
from pathlib import Path

from tools import __version__
from tools.campaign.conduct import conduct, make_engine
from tools.campaign.ledger import Ledger
from tools.campaign.matrix import Options, make_matrix, parse_part
from tools.campaign.store import create
from tools.campaign.work import code_of_all
from tools.exits import Exit
from tools.hunt import DEFAULT_SCHEDULES, parse_budget
from tools.output import Output


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
    part = parse_part(shard)
    seconds = None if budget is None else parse_budget(budget)
    options = Options(
        cells=make_matrix(scenarios, param, strategies, size=size, schedules=schedules),
        seed=seed,
        schedules=schedules,
        budget=seconds,
        part=part,
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
    chosen = make_engine(engine, jobs, scheduler)
    try:
        with create(Path(directory), options, facts) as store:
            Ledger(store).open_cells()
            return conduct(out, store, chosen)
    finally:
        chosen.close()
