"""What a campaign runs: a matrix of experiments and strategies, cut into shards; fixed when it starts.

A shard is a pure function of the options and its number. So a campaign that was killed and resumed, or ran on other
workers, comes to the same findings.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from actors.runtime.runs.schedule import ParamValue

from ..experiments.combinations import combinations, scenario_names
from ..experiments.experiment import open_experiment
from ..experiments.strategies import SEEDLESS, find_strategy
from ..terminal.exits import Refusal

LARGEST = 50_000
"""Schedules in a shard at most."""
UNSIZED = 0
"""Of a cell whose size nobody knows yet (`tools.campaign.sizing`)."""
SEEDLESS_SHARDS = 4
"""A strategy that draws nothing has one shard, this much longer: a second one would do the same again."""
MAY_COMPLETE = frozenset({"portfolio", *SEEDLESS})
"""Strategies whose first shard may see all there is; the second waits for what the first says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One combination of the matrix: an experiment, how it is searched, and how many schedules a shard of it has."""

    scenario: str
    params: tuple[tuple[str, ParamValue], ...]
    """Those that differ from the scenario's defaults."""
    strategy: str
    size: int

    @property
    def experiment(self) -> str:
        """What is searched, as people read it."""
        return self.scenario + "".join(f" {name}={value}" for name, value in self.params)

    @property
    def label(self) -> str:
        """The cell as people read it, and what its shards' seeds are made of."""
        return f"{self.experiment} [{self.strategy}]"


CANARY = Cell(scenario="mm-pin", params=(("pin", "no-grab"),), strategy="walk", size=30)
"""Runs in every campaign and must fail in every shard: two in three of its schedules do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """A piece of the work, done by one worker in one go."""

    cell: Cell
    number: int
    seed: int
    schedules: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOptions:
    """All that decides what a campaign does; never changed after its start."""

    cells: tuple[Cell, ...]
    seed: int = 0
    schedules: int | None = None
    """For each cell; None means as many as the budget allows."""
    budget: float | None = None
    """Seconds of running, all sessions together."""
    part: tuple[int, int] = (1, 1)
    """Which part of how many, for job arrays; from 1."""
    canary: Cell = CANARY

    @property
    def all_cells(self) -> tuple[Cell, ...]:
        """The canary, number 0, and the others."""
        return (self.canary, *self.cells)

    def shards_of(self, cell: Cell) -> int | None:
        """How many shards a cell has in all parts together; None means no end."""
        if cell is self.canary:
            counts = [self.shards_of(one) for one in self.cells]
            return None if None in counts else max((count or 0 for count in counts), default=1)
        if cell.strategy in SEEDLESS:
            return 1
        return None if self.schedules is None else math.ceil(self.schedules / cell.size)

    def shard(self, cell_number: int, number: int) -> Shard:
        """Shard `number` (from 0) of a cell."""
        cell = self.all_cells[cell_number]
        size = cell.size * (SEEDLESS_SHARDS if cell.strategy in SEEDLESS else 1)
        left = size if self.schedules is None or not cell_number else self.schedules - number * cell.size
        text = f"{self.seed} {cell.label} {number}"
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])
        return Shard(cell=cell, number=number, seed=seed, schedules=min(size, left))

    def is_mine(self, cell_number: int, number: int) -> bool:
        """Whether a shard belongs to this part; the canary runs in all of them."""
        part, parts = self.part
        return not cell_number or (cell_number + number) % parts == part - 1

    def next_mine(self, cell_number: int, number: int) -> int:
        """The first shard of a cell, from `number` on, that belongs to this part."""
        while not self.is_mine(cell_number, number):
            number += 1
        return number

    def pack(self) -> str:
        """The options as JSON, the same text for the same options."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def unpack(cls, text: str) -> CampaignOptions:
        """What `pack` wrote."""
        raw = json.loads(text)
        raw["cells"] = tuple(_cell(one) for one in raw["cells"])
        return cls(**{**raw, "canary": _cell(raw["canary"]), "part": tuple(raw["part"])})


def _cell(raw: Mapping[str, object]) -> Cell:
    made = Cell(**raw)  # type: ignore[arg-type]  # as `asdict` wrote it; lists are made tuples below
    return Cell(
        scenario=made.scenario,
        params=tuple((name, value) for name, value in made.params),
        strategy=made.strategy,
        size=made.size,
    )


def make_matrix(
    scenarios: Sequence[str],
    params: Sequence[str],
    strategies: Sequence[str],
    *,
    size: int | None = None,
    schedules: int | None = None,
) -> tuple[Cell, ...]:
    """The cells of some scenarios (none or `all` means all shipped ones), each combination once; Refusal otherwise.

    `params` are texts such as `drain=none,full`: all their combinations, or if there are none, those for which the
    scenario states a verdict, or its defaults. `size` fixes the schedules of a shard; without it they are UNSIZED.
    """
    for strategy in strategies:
        find_strategy(strategy)
    cells: dict[tuple[object, ...], Cell] = {}
    for name in scenario_names(scenarios):
        for params_of in combinations(name, params):
            experiment = open_experiment(name, params_of)
            full = tuple(experiment.params.items())
            if (experiment.name, full, strategies[0]) in cells:
                continue
            usual = {key: param.default for key, param in experiment.scenario.params.items()}
            unusual = tuple((key, value) for key, value in full if value != usual.get(key))
            for strategy in dict.fromkeys(strategies):
                cells[experiment.name, full, strategy] = Cell(
                    scenario=experiment.name,
                    params=unusual,
                    strategy=strategy,
                    size=min(size, schedules or size) if size else UNSIZED,
                )
    return tuple(cells.values())


def parse_part(text: str) -> tuple[int, int]:
    """`2/8` as (2, 8); Refusal for anything else."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text.strip())
    part, parts = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part <= parts:
        raise Refusal(f"shard {text!r}: expected k/N with k from 1 to N, such as 2/8")
    return part, parts
