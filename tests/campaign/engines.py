"""Engines for tests: in this process, in any order, dying as they are told; and what a campaign came to, as a value."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tools.campaign.campaign import CampaignRun
from tools.campaign.cells import CampaignOptions, make_matrix
from tools.campaign.ledger import Lease
from tools.campaign.store import CampaignStore, create
from tools.campaign.work import Engine, Killed, Result, code_of, code_of_all, perform
from tools.terminal.interrupt import StopRequest

WORLDS = "tests/tools/worlds.py"
MORTAL = "tests/campaign/mortal.py::mortal"
UNBINDING = f"{WORLDS}::unbinding"
ENDING = f"{WORLDS}::ending"


class Inline:
    """Does one piece of work at a time, here; `before` is called with each result before it is handed over."""

    def __init__(self, before: Callable[[Lease, Result], None] = lambda lease, result: None) -> None:
        self.before = before
        self.out: list[Lease] = []

    @property
    def free(self) -> int:
        return 1 - len(self.out)

    def submit(self, lease: Lease) -> None:
        self.out.append(lease)

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        lease = self.out.pop()
        result = perform(lease.task, code_of(lease.task.cell))
        self.before(lease, result)
        return [(lease, result)]

    def close(self) -> None:
        self.out.clear()


class Shuffled(Inline):
    """It has four pieces of work out and finishes any of them next; now and then a worker dies, but never three times
    for one piece."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self._deaths: dict[str, int] = {}

    @property
    def free(self) -> int:
        return 4 - len(self.out)

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        lease = self.out.pop(self._random.randrange(len(self.out)))
        deaths = self._deaths.get(str(lease), 0)
        if deaths < 2 and self._random.random() < 0.2:
            self._deaths[str(lease)] = deaths + 1
            return [(lease, Killed("told to"))]
        return [(lease, perform(lease.task, code_of(lease.task.cell)))]


def options_of(*scenarios: str, params: Sequence[str] = (), strategy: str = "walk", **more: Any) -> CampaignOptions:
    """A small campaign: 120 schedules in shards of 20, unless something else is said."""
    schedules, size = more.pop("schedules", 120), more.pop("size", 20)
    cells = make_matrix(scenarios, params, [strategy], size=size, schedules=schedules)
    return CampaignOptions(cells=cells, schedules=schedules, **more)


def begin(folder: Path, options: CampaignOptions) -> CampaignStore:
    """A campaign that has begun and not run."""
    facts: dict[str, object] = {"code": code_of_all(options.all_cells), "seconds": 0.0, "jobs": 1, "engine": "local"}
    return create(folder, options, facts)


def conducted(store: CampaignStore, engine: Engine | None = None) -> CampaignRun:
    """Run it to its end."""
    session = CampaignRun(store, engine or Inline(), StopRequest())
    session.run()
    return session


def result_of(store: CampaignStore) -> dict[str, list[tuple[object, ...]]]:
    """All that a campaign came to, but for what depends on time, place and luck."""
    queries = {
        "shards": "SELECT cell, number, state, schedules, steps, failing FROM shards ORDER BY cell, number",
        "failures": "SELECT cell, key, count, number, seed, at, schedule, exact FROM failures ORDER BY cell, key",
        "findings": "SELECT * FROM findings ORDER BY exact",
        "coverage": "SELECT * FROM coverage ORDER BY family, key",
        "cells": "SELECT * FROM cells ORDER BY cell",
        "reports": "SELECT * FROM reports",
    }
    return {name: [tuple(row) for row in store.run(sql)] for name, sql in queries.items()}
