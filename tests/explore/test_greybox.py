"""Greybox: what it finds on the small models, exactly; and what it keeps."""

from __future__ import annotations

import gc
import weakref

from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Fifo, RandomWalk, Scheduler
from actors.runtime.world import World
from tests.models import pri_window
from tools.experiments.strategies import STRATEGIES
from tools.explore.search import Budget
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.greybox import KEPT, Greybox, Kept, races_of
from tools.explore.strategies.pos import Pos

from .searching import search, worlds


def first_finding(scheduler: Scheduler, most: int) -> int | None:
    """Schedules to the first finding in HARD."""
    report = search(worlds(pri_window, kind="hard"), Endless(scheduler), Budget(schedules=most), stop_at_first=True)
    return report.schedules if report.found else None


def test_the_hard_bug_takes_fewer_schedules_than_a_walk_or_blind_sampling() -> None:
    assert [first_finding(Greybox(seed), 1_000) for seed in range(10)] == GREYBOX
    assert [first_finding(Pos(seed), 1_000) for seed in range(10)] == SAMPLING
    assert [first_finding(RandomWalk(seed), 500) for seed in range(3)] == 3 * [None]


GREYBOX = [30, 63, 98, 45, 66, 12, 117, 60, 7, 109]
SAMPLING = [97, 376, 131, 113, 79, 272, 206, 220, 225, 121]


def test_it_begins_with_the_first_run_of_a_walk() -> None:
    runs: list[tuple[int, ...]] = []

    def watch(execution: Execution) -> None:
        runs.append(execution.schedule)

    for scheduler in (RandomWalk(3), Greybox(3)):
        search(worlds(pri_window), Endless(scheduler), Budget(schedules=1), watch=watch)
    assert runs[0] == runs[1]


def test_only_runs_that_were_new_and_not_ended_by_a_finding_are_kept() -> None:
    greybox = Greybox(1)
    report = search(worlds(pri_window), Endless(greybox), Budget(schedules=500))
    kept = greybox._kept
    assert (report.schedules, report.failing) == (500, FAILING)
    assert len(kept) == LEN_KEPT < KEPT
    assert all(len(run.actors) == len(run.outcomes) == len(run.steps) == len(run.accesses) == 20 for run in kept)


FAILING, LEN_KEPT = 193, 23


def test_what_is_kept_keeps_no_world_alive() -> None:
    alive: list[weakref.ref[World]] = []
    greybox = Greybox(1)
    make = worlds(pri_window)

    def watched() -> World:
        world = make()
        alive.append(weakref.ref(world))
        return world

    search(watched, Endless(greybox), Budget(schedules=50))
    gc.collect()
    assert [number for number, ref in enumerate(alive) if ref() is not None] == [49]  # the last run


def test_races_are_what_could_have_come_the_other_way_round() -> None:
    kept: list[Kept] = []

    def watch(execution: Execution) -> None:
        steps = execution.steps
        kept.append(Kept(execution.actors, execution.outcomes, steps, list(range(len(steps)))))

    search(worlds(pri_window, k=1), Endless(Fifo()), Budget(schedules=1), watch=watch)
    (run,) = kept
    told = [tuple(f"{run.actors[event]} {run.steps[event].what}" for event in race) for race in races_of(run)]
    assert told == RACES


RACES = [("3 load bind", "4 store bind")]


def test_it_is_offered_by_name() -> None:
    report = search(worlds(pri_window, kind="hard"), STRATEGIES["greybox"](5), stop_at_first=True)
    assert (report.schedules, report.failing) == (GREYBOX[5], 1)
