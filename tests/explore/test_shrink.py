"""Shrinking: the shortest run, the same one for every failing schedule of a bug, within few replays."""

from __future__ import annotations

import pytest
import trio

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import Schedule
from actors.runtime.runs.scheduler import Replay
from tests.models import pri_window
from tools.explore.dpor.dpor import Dpor
from tools.explore.reasons.plan import plan_of, switches
from tools.explore.reasons.shrink import Shrunk, shrink, shrink_world
from tools.explore.search import Budget, Strategy, explore
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.pct import Pct
from tools.explore.strategies.surw import Surw

from .searching import worlds

Failure = tuple[Schedule, tuple[str, ...]]


def shrink_all(strategy: Strategy, budget: int, kind: str, k: int) -> list[Shrunk]:
    """What every failing run of a search shrinks to."""

    async def program() -> list[Shrunk]:
        failures: list[Failure] = []

        def watch(execution: Execution) -> None:
            if execution.finding is not None and execution.failing is not None:
                failures.append((execution.failing, execution.finding.signature))

        make = worlds(pri_window, kind=kind, k=k)
        async with controlled() as driver:
            await explore(driver, make, strategy, Budget(schedules=budget), watch=watch)
            return [shrink(driver, make, Replay(schedule), signature) for schedule, signature in failures]

    return trio.run(program)


@pytest.mark.parametrize(("strategy", "failing"), [(Endless(Surw(1)), 40), (Endless(Pct(1)), 5), (Dpor(), 4)])
def test_every_hard_failure_shrinks_to_the_same_five_switches(strategy: Strategy, failing: int) -> None:
    shrunk = shrink_all(strategy, 600, "hard", 2)
    assert len(shrunk) == failing
    runs = {tuple(one.execution.actors) for one in shrunk}
    assert runs == {tuple(map("DSPWU".index, "DSSPPWWUUUUUUUUW"))}
    assert {(one.switches, one.execution.index) for one in shrunk} == {(5, 16)}
    assert max(one.replays for one in shrunk) <= 100


@pytest.mark.parametrize("k", [1, 2, 3])
def test_every_base_failure_shrinks_to_the_same_run(k: int) -> None:
    shrunk = shrink_all(Dpor(), 100, "base", k)
    assert {tuple(one.execution.actors) for one in shrunk} == {tuple(map("DSPWU".index, "DSSPPUUWW"))}


def test_the_world_is_made_smaller_too() -> None:
    async def program() -> None:
        large = worlds(pri_window, kind="hard", k=3)
        async with controlled() as driver:
            report = await explore(driver, large, Dpor(), stop_at_first=True)
            assert report.first is not None
            signature = report.first.finding.signature
            shrunk = shrink(driver, large, Replay(report.first.schedule), signature)
            smaller = [worlds(pri_window, kind="hard", k=k) for k in (1, 2)]
            result = await shrink_world(driver, shrunk, smaller)
            assert result is not None
            small, number = result
            assert number == 0
            assert small.execution.finding is not None
            assert small.execution.finding.signature == signature
            assert switches(plan_of(small.execution)) == 5

    trio.run(program)


def test_a_run_that_does_not_fail_cannot_be_shrunk() -> None:
    async def program() -> None:
        async with controlled() as driver:
            make = worlds(pri_window, kind="base")
            quiet = driver.run(make(), Pct(1))
            while quiet.finding is not None:
                quiet = driver.run(make(), Pct(2))
            shrink(driver, make, Replay(quiet.schedule), ("no such oracle",))

    with pytest.raises(ValueError, match="does not fail with no such oracle"):
        trio.run(program)
