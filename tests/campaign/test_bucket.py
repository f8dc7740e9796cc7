"""Buckets: equal for schedules that differ in nothing that matters, and named by the two steps that decide."""

from __future__ import annotations

import pytest
import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import RandomWalk, Replay
from tools.campaign.bucket import NO_PAIR, Bucket, deciding_pair, exact_hash, failure_key
from tools.campaign.cells import Cell
from tools.campaign.exemplar import Shrinking, run_shrinking
from tools.experiments.experiment import Experiment
from tools.explore.reasons.shrink import shrink
from tools.terminal.exits import Diverged
from tools.traces.container import decode

from ..tools.runs import experiment
from .engines import UNBINDING, WORLDS


def failing(made: Experiment, seeds: int = 60) -> list[Execution]:
    runs = [made.run_once(RandomWalk(seed)) for seed in range(seeds)]
    return [run for run in runs if run.finding is not None]


def pair_of(made: Experiment, run: Execution) -> tuple[str, str]:
    async def main() -> tuple[str, str]:
        async with controlled() as driver:
            return deciding_pair(driver, made.world, run)

    return trio.run(main)


def shrunk(made: Experiment, run: Execution) -> Execution:
    async def main() -> Execution:
        async with controlled() as driver:
            assert run.finding is not None
            return shrink(driver, made.world, Replay(run.schedule), run.finding.signature).execution

    return trio.run(main)


def test_the_pair_that_decides_is_the_race_that_the_failure_needs() -> None:
    made = experiment("unbinding")
    pairs = {pair_of(made, run) for run in failing(made)}
    assert pairs == {("driver: store CD[#]", "smmu.priq: load CD[#]")}


def test_a_deadlock_of_two_locks_is_decided_by_the_locks() -> None:
    made = experiment("lock_order")
    pairs = {pair_of(made, shrunk(made, run)) for run in failing(made)}
    assert pairs == {("a: lock two", "b: lock two")}


@pytest.mark.parametrize("way", ["error", "deadlock", "bound", "stillborn"])
def test_what_fails_in_every_order_is_decided_by_none(way: str) -> None:
    made = experiment("ending", way=way)
    assert {pair_of(made, run) for run in failing(made, 5)} == {NO_PAIR}
    assert Bucket("ending", "x", NO_PAIR).reason == "no order of two steps decides it"


def test_equivalent_schedules_have_one_hash_and_others_another() -> None:
    made = experiment("unbinding")
    runs = failing(made)
    assert len({run.schedule for run in runs}) > 3
    assert len({exact_hash("unbinding", run) for run in runs}) == 1
    assert exact_hash("another", runs[0]) != exact_hash("unbinding", runs[0])
    locks = experiment("lock_order")
    assert exact_hash("unbinding", failing(locks)[0]) != exact_hash("unbinding", runs[0])


def test_what_comes_after_the_finding_has_no_part_in_the_hash() -> None:
    made = experiment("unbinding")

    async def pairs() -> list[tuple[Execution, Execution]]:
        async with controlled() as driver:
            runs = [[driver.run(made.world(), RandomWalk(seed), whole) for whole in (False, True)] for seed in range(9)]
            return [(short, whole) for short, whole in runs if short.finding is not None]

    for short, whole in trio.run(pairs):
        assert len(short.steps) < len(whole.steps)
        assert exact_hash("unbinding", short) == exact_hash("unbinding", whole)


def test_failing_runs_with_one_key_break_the_same_property_at_the_same_race() -> None:
    keys = {failure_key(run) for run in failing(experiment("unbinding"))}
    assert keys == {"no-cross\nP1\nsmmu.priq: load CD[#]\ndriver: store CD[#]"}
    assert {failure_key(run) for run in failing(experiment("ending", way="deadlock"), 5)} == {"no-deadlock\nfirst"}


def test_an_exemplar_is_shrunk_named_and_replays() -> None:
    run = max(failing(experiment("unbinding")), key=lambda one: len(one.steps))
    assert run.finding is not None
    cell = Cell(scenario=UNBINDING, params=(), strategy="walk", size=1)
    made = run_shrinking(Shrinking(cell=cell, signature=run.finding.signature, schedule=run.schedule))
    assert made.bucket == Bucket(UNBINDING, "no-cross", ("driver: store CD[#]", "smmu.priq: load CD[#]"))
    assert (made.steps, made.switches, made.outcome) == (4, 2, "violated")
    again = decode(made.trace)
    assert experiment(f"{WORLDS}::unbinding").run_once(Replay(again.schedule)).finding == again.finding


def test_a_schedule_that_fails_no_more_is_refused() -> None:
    cell = Cell(scenario=UNBINDING, params=(("drain", "full"),), strategy="walk", size=1)
    with pytest.raises(Diverged, match=r"drain=full \[walk\].* is the scenario deterministic"):
        run_shrinking(Shrinking(cell=cell, signature=("no-cross", "P1"), schedule=()))
