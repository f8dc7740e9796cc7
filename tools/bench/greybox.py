"""How many schedules each strategy needs to the first finding, in every shipped combination that must be violated.

Goals: an honest answer to whether greybox beats a random walk, and the other strategies beside it. Counts do not depend
on the machine; the same seeds give the same table. No goal: seconds, which `tools.bench.engine` measures.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean, pstdev, stdev

import click
import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.schedule import ParamValue
from scenarios import catalogue

from ..experiments.experiment import open_experiment
from ..experiments.strategies import STRATEGIES, find_strategy
from ..explore.search import Budget, explore

BASELINE = "walk"
COMPARED = (BASELINE, "greybox", "pos", "surw", "pct", "portfolio")
FIRST_SEED = 1_000
"""Greybox was tuned with seeds below this one, on these rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchRow:
    """One combination: for each strategy the schedules to the first finding, seed by seed; `most` + 1 for none."""

    name: str
    counts: Mapping[str, Sequence[int]]
    most: int

    def mean(self, strategy: str) -> float:
        """Of what was not found the budget is counted, which flatters who did not find it."""
        return fmean(self.counts[strategy])

    def cell(self, strategy: str) -> str:
        """Mean and standard deviation, and how often nothing was found."""
        counts = self.counts[strategy]
        missed = sum(count > self.most for count in counts)
        note = f" ({missed} of {len(counts)} not)" if missed else ""
        return f"{fmean(counts):.1f} +- {pstdev(counts):.1f}{note}"


def violated(names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, ParamValue]]]:
    """The shipped combinations that some schedule violates."""
    for name in names or catalogue.MODULES:
        for expected in catalogue.load(name).expected:
            if expected.verdict == "violated":
                yield name, expected.params


async def measure(
    names: Sequence[str], strategies: Sequence[str], seeds: range, most: int, tell: Callable[[BenchRow], None]
) -> list[BenchRow]:
    """All rows; `tell` is given each as soon as it is there."""
    rows = []
    async with controlled() as driver:
        for name, params in violated(names):
            experiment = open_experiment(name, params)
            counts: dict[str, list[int]] = {strategy: [] for strategy in strategies}
            for strategy in strategies:
                for seed in seeds:
                    made, budget = find_strategy(strategy)(seed), Budget(schedules=most)
                    report = await explore(driver, experiment.world, made, budget, stop_at_first=True)
                    counts[strategy].append(report.schedules if report.found else most + 1)
            told = ",".join(f"{key}={value}" for key, value in params.items())
            rows.append(BenchRow(name=f"{name} {told}", counts=counts, most=most))
            tell(rows[-1])
    return rows


def comparison(rows: Sequence[BenchRow], strategy: str) -> str:
    """One line: a strategy beside the baseline, over all rows."""
    pairs = [(row.mean(strategy), row.mean(BASELINE)) for row in rows]
    fewer, more = sum(mine < walk for mine, walk in pairs), sum(mine > walk for mine, walk in pairs)
    ratios = [log(mine / walk) for mine, walk in pairs]
    middle, error = fmean(ratios), stdev(ratios) / sqrt(len(ratios)) if len(ratios) > 1 else 0.0
    low, ratio, high = (exp(value) for value in (middle - error, middle, middle + error))
    always = sum(max(row.counts[strategy]) <= row.most for row in rows)
    return (
        f"{strategy:10} geometric mean {exp(fmean(log(mine) for mine, _ in pairs)):6.1f}, found by all seeds in "
        f"{always} of {len(rows)}; to {BASELINE} x {ratio:.2f} ({low:.2f}..{high:.2f}), "
        f"fewer in {fewer}, more in {more}"
    )


@click.command()
@click.argument("scenarios", nargs=-1)
@click.option("--strategy", "strategies", multiple=True, type=click.Choice(list(STRATEGIES)), default=COMPARED)
@click.option("--seeds", type=click.IntRange(min=1), default=6, show_default=True, help="Searches of each kind.")
@click.option("--first-seed", type=int, default=FIRST_SEED, show_default=True)
@click.option("--most", type=click.IntRange(min=1), default=500, show_default=True, help="Schedules of a search.")
def main(scenarios: tuple[str, ...], strategies: tuple[str, ...], seeds: int, first_seed: int, most: int) -> None:
    """Search every violated combination of SCENARIOS (all that are shipped) with each strategy, and compare."""
    compared = tuple(dict.fromkeys((BASELINE, *strategies)))
    click.echo("  ".join(["schedules to the first finding".ljust(64), *(name.rjust(26) for name in compared)]))

    def tell(row: BenchRow) -> None:
        click.echo("  ".join([row.name.ljust(64), *(row.cell(name).rjust(26) for name in compared)]))

    rows = trio.run(measure, scenarios, compared, range(first_seed, first_seed + seeds), most, tell)
    click.echo("")
    for name in compared:
        click.echo(comparison(rows, name))
    digest = zlib.crc32(
        repr([sorted((name, list(counts)) for name, counts in row.counts.items()) for row in rows]).encode()
    )
    click.echo(f"digest {digest:08x}")


if __name__ == "__main__":
    main()
