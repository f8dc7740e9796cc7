"""What a campaign costs beside the bare search of the same schedules, and what a second worker gives.

Goals: both as ratios, over shards of equal work, from the first result to the last; the bare search is timed before and
after the campaign, as the speed of a machine varies. No goal: the start of workers, which a campaign does once. The
second worker needs a second core that nobody else uses.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import trio

from actors.runtime.runners.controlled import controlled

from ..campaign.campaign import CampaignRun
from ..campaign.cells import CampaignOptions, Cell, Shard
from ..campaign.ledger import Lease
from ..campaign.shard import Seen, strategy_of
from ..campaign.store import create
from ..campaign.work import Result, code_of_all
from ..campaign.workers import Workers
from ..experiments.experiment import open_experiment
from ..explore.search import Budget, explore
from ..terminal.interrupt import StopRequest
from ..terminal.log import configure

FULL, QUICK = (1_800, 16), (5, 4)
"""Schedules in a shard (about a second), and shards."""
CELL = Cell(scenario="unbind-window", params=(("drain", "full"),), strategy="walk", size=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignFigures:
    """The ratios, and a digest of what was computed."""

    overhead: float
    """How much longer one worker takes than the bare search, as a share of that."""
    speed_up: float
    """Two workers against one."""
    digest: int


class _Timed(Workers):
    """Workers that note when each shard came back, and how many schedules it had."""

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs)
        self.results: list[tuple[float, int]] = []
        self.digest = 0

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        found = super().wait(seconds)
        for lease, result in found:
            if isinstance(result, Seen) and lease.cell:
                self.results.append((time.perf_counter(), result.schedules))
                text = f"{lease.number} {result.steps} {sorted(result.coverage.items())}"
                self.digest ^= zlib.crc32(text.encode())
        return found

    @property
    def rate(self) -> float:
        """Schedules a second, from the first result to the last."""
        (begun, _), *rest = self.results
        return sum(schedules for _, schedules in rest) / (rest[-1][0] - begun)


def measure(sizes: tuple[int, int]) -> CampaignFigures:
    """Run the same shards bare, on one worker and on two."""
    size, shards = sizes
    cell = Cell(scenario=CELL.scenario, params=CELL.params, strategy=CELL.strategy, size=size)
    options = CampaignOptions(cells=(cell,), schedules=size * shards)
    work = [options.shard(1, number) for number in range(shards)]
    before, one, after = trio.run(_bare, work), _conducted(options, 1), trio.run(_bare, work)
    two = _conducted(options, 2)
    assert one.digest == two.digest, "one worker and two came to different results"
    return CampaignFigures(
        overhead=fmean((before, after)) / one.rate - 1, speed_up=two.rate / one.rate, digest=one.digest
    )


def lines(figures: CampaignFigures) -> list[str]:
    """The figures as `make bench` prints them."""
    return [
        f"campaign        {figures.overhead:+.1%} over the bare search (less than +5 % is wanted)",
        f"                {figures.speed_up:.2f} times as fast on two workers (at least 1.80 is wanted)",
        f"                digest {figures.digest:08x}",
    ]


async def _bare(shards: Sequence[Shard]) -> float:
    """Schedules a second of the search alone, after the first shard."""
    cell = shards[0].cell
    experiment = open_experiment(cell.scenario, dict(cell.params))
    async with controlled() as driver:
        begun = 0.0
        for number, shard in enumerate(shards):
            if number == 1:
                begun = time.perf_counter()
            await explore(driver, experiment.world, strategy_of(shard), Budget(schedules=shard.schedules))
    return sum(shard.schedules for shard in shards[1:]) / (time.perf_counter() - begun)


def _conducted(options: CampaignOptions, jobs: int) -> _Timed:
    workers = _Timed(jobs)
    facts: dict[str, object] = {"seconds": 0.0, "code": code_of_all(options.all_cells)}
    with TemporaryDirectory() as folder, create(Path(folder), options, facts) as store:
        CampaignRun(store, workers, StopRequest()).run()
    return workers


if __name__ == "__main__":
    configure(verbose=False)
    print("\n".join(lines(measure(FULL))))
