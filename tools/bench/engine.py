"""How fast the full model is searched, beside the bare ceiling of stepping tasks that do nothing.

Goals: steps and schedules a second of a random walk, flat memory, the start-up time of `--help`, and a digest, so that
nobody speeds up another computation. No goal: comparing machines. Rates are per second of CPU time, which others on the
machine disturb least; run it alone all the same.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import coroutine
from typing import Any

import click
import trio

from actors.runtime.primitives.step import Step, perform
from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.scheduler import RandomWalk

from ..experiments.experiment import Experiment, open_experiment, parse_params
from ..explore.search import Budget, Report, explore
from ..explore.strategies.endless import Endless
from . import models
from .models import FULL, KINDS, QUICK, resident_kib

_REPEATS = 5
_SEGMENTS = 10
_CEILING_STEPS = 300_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """One search, in segments: rates, resident memory after each, and what was computed."""

    report: Report
    actors: int
    rates: tuple[float, ...]
    resident_kib: tuple[int, ...]
    digest: int


async def search(experiment: Experiment, schedules: int, seed: int) -> Searched:
    """Search `schedules` schedules, findings or not."""
    report, strategy, digest, actors = Report(), Endless(RandomWalk(seed)), 0, 0
    rates, resident = [], []

    def watch(execution: Any) -> None:
        nonlocal digest, actors
        digest = (digest * 31 + execution.index * 7 + len(execution.choices)) & 0xFFFFFFFF
        actors = max(actors, len(execution.world.actors))

    async with controlled() as driver:
        for segment in range(_SEGMENTS):
            steps, begun = report.steps, time.process_time()
            most = Budget(schedules=schedules * (segment + 1) // _SEGMENTS)
            await explore(driver, experiment.world, strategy, most, watch=watch, report=report)
            rates.append((report.steps - steps) / (time.process_time() - begun))
            resident.append(resident_kib())
    return Searched(report=report, actors=actors, rates=tuple(rates), resident_kib=tuple(resident), digest=digest)


async def ceiling(actors: int, steps_each: int, schedules: int) -> float:
    """Steps a second of detached Trio tasks that do nothing: each announces a step, one of those that announced is
    chosen at random and recorded, and that is all. A bare `send` without any of this is over three times as fast."""
    hosts: list[trio.lowlevel.Task] = []
    draw = random.Random(0).random
    steps = 0
    async with trio.open_nursery() as nursery:
        for _ in range(actors):
            nursery.start_soon(_host, hosts)
        while len(hosts) < actors:
            await trio.lowlevel.checkpoint()
        sends: list[Callable[[Any], Any]] = [host.coro.send for host in hosts]
        begun = time.process_time()
        for _ in range(schedules):
            pending = [send(steps_each) for send in sends]
            chosen: list[int] = []
            while live := [number for number, step in enumerate(pending) if step is not None]:
                number = live[int(draw() * len(live))]
                chosen.append(number)
                pending[number] = sends[number](0)
            steps += len(chosen)
        seconds = time.process_time() - begun
        for send in sends:
            send(0)
    return steps / seconds


async def _host(hosts: list[trio.lowlevel.Task]) -> None:
    task = trio.lowlevel.current_task()
    hosts.append(task)
    steps: Any = await trio.lowlevel.temporarily_detach_coroutine_object(lambda _: trio.lowlevel.Abort.FAILED)
    while steps:
        for _ in range(steps):
            await perform(Step("nothing"))
        steps = await _finished()
    await trio.lowlevel.reattach_detached_coroutine_object(task, None)


@coroutine
def _finished() -> Generator[None, int, int]:
    return (yield None)


def help_seconds() -> list[float]:
    """How long `--help` takes, as a process of its own."""
    command = [str(Path(sys.executable).parent / "stopmarker"), "--help"]
    times = []
    for _ in range(_REPEATS):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begun)
    return times


@click.command()
@click.argument("scenario", default="unbind-window")
@click.option("-p", "--param", multiple=True, metavar="NAME=VALUE", help="A parameter of the scenario.")
@click.option("--schedules", type=click.IntRange(min=_SEGMENTS), help="[default: 100000, or 50 if --quick]")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--quick", is_flag=True, help="Small sizes, to see that it works; the figures mean nothing.")
def main(scenario: str, param: tuple[str, ...], schedules: int | None, seed: int, quick: bool) -> None:
    """Measure and print: the full model first, then the engine on the two small ones."""
    schedules = schedules or (50 if quick else 100_000)
    experiment = open_experiment(scenario, parse_params(param))
    found = trio.run(search, experiment, schedules, seed)
    report = found.report
    each = max(round(report.steps / report.schedules / found.actors), 1)
    turns = max(_CEILING_STEPS // (each * found.actors), 1)
    bare = sorted(trio.run(ceiling, found.actors, each, turns) for _ in range(_REPEATS))
    helps = sorted(help_seconds())
    mean = report.steps / report.schedules
    rate = median(found.rates)
    sizes = QUICK if quick else FULL
    figures = [models.measure(kind, sizes, ceiling) for kind in KINDS]
    first, last = found.resident_kib[0], found.resident_kib[-1]
    params = ", ".join(f"{name}={value}" for name, value in experiment.params.items())
    click.echo(f"scenario        {experiment.name} ({params})")
    click.echo(
        f"work            {report.schedules:,} schedules, {report.steps:,} steps, {found.actors} actors, seed {seed}"
    )
    click.echo(f"walk            {rate:,.0f} steps/s ({min(found.rates):,.0f}..{max(found.rates):,.0f})")
    click.echo(f"                {rate / mean:,.0f} schedules/s of {mean:.1f} steps")
    click.echo(f"bare ceiling    {median(bare):,.0f} steps/s ({bare[0]:,.0f}..{bare[-1]:,.0f})")
    click.echo(f"ratio           {rate / median(bare):.2f} (at least 0.18 is wanted)")
    click.echo(f"resident        {first:,} KiB after a tenth, {last:,} KiB at the end ({last - first:+,})")
    click.echo(f"--help          {median(helps) * 1000:.0f} ms ({helps[0] * 1000:.0f}..{helps[-1] * 1000:.0f})")
    click.echo("\n".join(["", *models.lines(figures, models.speed_up(sizes), sizes), ""]))
    click.echo(f"digest          {found.digest:08x}, {report.failing:,} violated, {len(report.found):,} distinct")


if __name__ == "__main__":
    main()
