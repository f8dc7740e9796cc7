"""How fast and how soon the engine is on the two small models with published numbers, and what a second core gives.

Goals: rates (per second of CPU time) as ratios to a bare loop of the same run, schedules to the first bug over many
seeds, memory that does not grow, the speed-up of `-j 2`. No goal: the drivers' models, which `tools.bench.engine`
measures.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median, pstdev

import trio

from actors.runtime.runners.controlled import Controlled, controlled
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from actors.runtime.world import World

from ..experiments.experiment import Experiment, open_experiment
from ..experiments.terms import Terms
from ..explore.dpor.dpor import Dpor
from ..explore.search import Budget, Strategy, explore
from ..explore.strategies.endless import Endless
from ..explore.strategies.portfolio import default
from ..explore.strategies.surw import Surw
from ..searches.proof import Proof
from ..terminal.interrupt import StopRequest
from ..traces.naming import word_names

MODELS = Path(__file__).parents[2] / "tests" / "models.py"
KINDS = ("base", "hard")
SHARED_WORD = "bind"
_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    schedules: int
    repeats: int
    trials: int
    proof: tuple[str, dict[str, str]]


FULL = Sizes(schedules=20_000, repeats=9, trials=1_000, proof=("unbind-window", {"drain": "full", "group": "2"}))
QUICK = Sizes(schedules=100, repeats=2, trials=10, proof=("unbind-window", {"stop": "A"}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFigures:
    """One model: rates, the time of an exhaustive search, and schedules to the first bug."""

    kind: str
    walk: float
    """Schedules a second of a random walk."""
    ratio: float
    resident: tuple[int, int]
    """KiB after the first part of the walks and after the last."""
    traces: int
    seconds: float
    first: int
    """Runs that DPOR needs to the first bug."""
    surw: tuple[float, float]
    """Mean and standard deviation with the shared word known."""
    portfolio: tuple[float, float]


class KnownWord(Surw):
    """SURW that is told the word that matters: it learns counts of no other."""

    def __init__(self, seed: int, bit: int) -> None:
        super().__init__(seed)
        self._bit = bit

    def finish(self) -> None:
        """Learn, and forget all other resources."""
        super().finish()
        self._counts = {bit: of for bit, of in self._counts.items() if bit == self._bit}


def measure(kind: str, sizes: Sizes, bare: Callable[[int, int, int], Awaitable[float]]) -> ModelFigures:
    """All figures of a model; `bare` gives the steps a second of a loop that does nothing else."""
    experiment = open_experiment(f"{MODELS}::pri_window", {"kind": kind})
    return trio.run(_measure, experiment, kind, sizes, bare)


async def _measure(
    experiment: Experiment, kind: str, sizes: Sizes, bare: Callable[[int, int, int], Awaitable[float]]
) -> ModelFigures:
    async with controlled() as driver:
        plain = driver.run(experiment.world(), Fifo())
        names = {name: address for address, name in word_names(plain).items()}
        bit = experiment.session.resources.mask(("word", names[SHARED_WORD]))
        actors = len(plain.world.actors)
        ratios, rates, resident = [], [], []
        for _ in range(sizes.repeats):
            schedules, steps = await _walk(driver, experiment.world, sizes.schedules // sizes.repeats + 1)
            each = max(round(steps / schedules / actors), 1)
            loop = await bare(actors, each, sizes.schedules // sizes.repeats + 1)
            rates.append(schedules)
            ratios.append(steps / loop)
            resident.append(resident_kib())
        times, traces = [], 0
        for _ in range(sizes.repeats + 1):
            begun = time.process_time()
            traces = (await explore(driver, experiment.world, Dpor())).schedules
            times.append(time.process_time() - begun)
        seeds = range(sizes.trials)
        return ModelFigures(
            kind=kind,
            walk=median(rates),
            ratio=median(ratios),
            resident=(resident[0], resident[-1]),
            traces=traces,
            seconds=median(times[1:]),
            first=(await _first(driver, experiment.world, Dpor())),
            surw=_spread([await _first(driver, experiment.world, Endless(KnownWord(seed, bit))) for seed in seeds]),
            portfolio=_spread([await _first(driver, experiment.world, default(seed)) for seed in seeds]),
        )


async def _walk(driver: Controlled, make_world: Callable[[], World], schedules: int) -> tuple[float, float]:
    """Schedules and steps a second of a random walk."""
    begun = time.process_time()
    report = await explore(driver, make_world, Endless(RandomWalk(0)), Budget(schedules=schedules))
    seconds = time.process_time() - begun
    return report.schedules / seconds, report.steps / seconds


async def _first(driver: Controlled, make_world: Callable[[], World], strategy: Strategy) -> int:
    """Schedules to the first bug."""
    report = await explore(driver, make_world, strategy, Budget(schedules=_MOST), stop_at_first=True)
    return report.schedules


def _spread(counts: list[int]) -> tuple[float, float]:
    return fmean(counts), pstdev(counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedUp:
    """One proof on one core and on two."""

    name: str
    traces: tuple[int, int]
    seconds: tuple[float, float]
    cpu: tuple[float, float]
    """What it cost, which a busy machine does not change."""


def speed_up(sizes: Sizes) -> SpeedUp:
    """Prove the same twice."""
    name, given = sizes.proof
    experiment = open_experiment(name, given)
    terms = Terms(name, tuple(experiment.params.items()))
    traces, seconds, cpu = [], [], []
    for jobs in (1, 2):
        proof, before = Proof(terms), _cpu_seconds()
        proof.run(float("inf"), jobs, lambda _: None, StopRequest())
        traces.append(proof.report.schedules)
        seconds.append(proof.report.seconds)
        cpu.append(_cpu_seconds() - before)
    told = ", ".join(f"{key}={value}" for key, value in given.items())
    return SpeedUp(
        name=f"{name} ({told})",
        traces=(traces[0], traces[1]),
        seconds=(seconds[0], seconds[1]),
        cpu=(cpu[0], cpu[1]),
    )


def _cpu_seconds() -> float:
    """Of this process and of its children that are over."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def resident_kib() -> int:
    """The memory that this process has now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


def columns(table: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines: all columns to the right."""
    wide = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, wide, strict=True)) for row in table]


def lines(figures: list[ModelFigures], gain: SpeedUp, sizes: Sizes) -> list[str]:
    """The figures as a table, with what is wanted of each."""
    table: list[tuple[str, ...]] = [
        ("model", "walk/s", "to bare loop", "DPOR", "traces", "first bug: DPOR", "SURW", "portfolio")
    ]
    table.append(("wanted", ">= 20,000", ">= 0.25", "<= 5, 15 ms", "20, 42", "<= 5", "<= 25", "<= 100"))
    for one in figures:
        means = [f"{mean:.1f} +- {deviation:.1f}" for mean, deviation in (one.surw, one.portfolio)]
        rates = (f"{one.walk:,.0f}", f"{one.ratio:.2f}", f"{one.seconds * 1000:.1f} ms")
        table.append((one.kind.upper(), *rates, str(one.traces), str(one.first), *means))
    told = columns(table)
    for one in figures:
        first, last = one.resident
        grown = f"{last - first:+,} KiB over {sizes.schedules - sizes.schedules // sizes.repeats:,} schedules"
        told.append(f"resident {one.kind.upper()}".ljust(16) + f"{last:,} KiB, {grown} (a million in 300 MB is wanted)")
    alone, together = gain.seconds
    same = "" if len(set(gain.traces)) == 1 else f", BUT {gain.traces[1]:,} on two"
    told += [
        f"-j 2            {alone / together:.2f} x (at least 1.8 on two quiet cores is wanted)",
        f"                {alone:.1f} s alone, {together:.1f} s on two (CPU: {gain.cpu[0]:.1f} s, {gain.cpu[1]:.1f} s)",
        f"                {gain.name}, {gain.traces[0]:,} traces{same}",
    ]
    return told
