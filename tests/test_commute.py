"""The audit of orders: steps that declare nothing in common must commute, and every shipped combination's do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.commute import names, orders_around_each_step
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr
from scenarios.catalogue import MODULES, load
from scenarios.scenario import Expected
from tests.running import of, run, runs
from tests.searching import identity


def hidden(world: World, declared: bool) -> None:
    """A cache that one actor fills and another one looks into: no memory word, so no look at memory tells."""
    cache: list[int] = []
    word = world.word("seen")

    @world.actor
    async def filler(cpu: Cpu) -> None:
        await cpu.access("think")
        await cpu.access("fill", writes=("cache",) if declared else ())
        cache.append(1)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.access("look up", reads=("cache",) if declared else ())
        if not cache:
            await cpu.store(word, 1, "missed")


def test_the_two_steps_whose_order_matters_are_named() -> None:
    finding = run(lambda world: hidden(world, declared=False), audit=True).finding
    assert finding is not None
    assert finding.message == (
        "filler raised FootprintError: `fill` of filler, then `look up` of reader, is not the same as the other way "
        "round: what one leaves for the other is in Python's own state (both use cache, declared), a variable or what "
        'a property remembers, and not both declare it. Name one resource in both, such as writes=["done"] and '
        'reads=["done"], or keep it in a world.word()'
    )
    assert run(lambda world: hidden(world, declared=False)).finding is None, "only an audit looks"


def test_what_is_declared_is_no_finding() -> None:
    for execution in runs(lambda world: hidden(world, declared=True), 30, RandomWalk(1), audit=True):
        assert execution.finding is None


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_for_two_steps_is_met_by_every_third_step_that_may_come_between(seed: int) -> None:
    """Of each two steps of one actor, and each third that nothing orders against them."""

    def shared(world: World) -> None:
        words = [world.word(name) for name in ("a", "b")]
        for number in range(3):

            @world.actor
            async def writer(cpu: Cpu, number: int = number) -> None:
                for step in range(3):
                    await cpu.store(words[step % 2], 1) if step == number else await cpu.access("think")

    record = run(shared, RandomWalk(seed))
    past, actors = causality_of(record).past, record.actors
    orders = [list(range(len(past))), *orders_around_each_step(past, len(past))]
    for order in orders:
        assert sorted(order) == list(range(len(past)))
        places = {event: place for place, event in enumerate(order)}
        assert all(places[one] <= places[event] for event, mask in enumerate(past) for one in places if mask >> one & 1)
    met = {
        (one, third, two)
        for order in orders
        for at, one in enumerate(order)
        for between, third in enumerate(order[at + 1 :], at + 1)
        for two in order[between + 1 :]
    }
    every = range(len(past))
    windows = [(one, two) for one in every for two in range(one + 1, len(past)) if actors[one] == actors[two]]
    for one, two in windows:
        for third in every:
            free = actors[third] != actors[one] and not past[third] >> one & 1 and not past[two] >> third & 1
            if free and not past[one] >> third & 1 and not past[third] >> two & 1:
                assert (one, third, two) in met


def outcomes(world: World, declared: bool) -> None:
    """Hardware chooses, then looks: the step of the choice must say so."""
    cache: list[int] = []

    @world.actor
    async def filler(cpu: Cpu) -> None:
        await cpu.access("fill", writes=("cache",))
        cache.append(1)

    @world.actor
    async def chooser(cpu: Cpu) -> None:
        if await cpu.choose("how much is kept", 2, ("cache",) if declared else ()) == 0 and not cache:
            await cpu.access("fetch")


@pytest.mark.parametrize(("declared", "found"), [(False, 2), (True, 0)])
def test_a_choice_is_a_step_like_any_other(declared: bool, found: int) -> None:
    made = runs(lambda world: outcomes(world, declared), 12, RandomWalk(3), audit=True)
    assert sum(execution.finding is not None for execution in made) == found


def test_actors_that_were_spawned_in_another_order_are_the_same() -> None:
    def spawning(world: World) -> None:
        async def child(cpu: Cpu) -> None:
            await cpu.access("live")

        for name in ("one", "two"):  # the children of both have one name

            async def parent(cpu: Cpu) -> None:
                await cpu.spawn("child", child)
                await cpu.spawn("child", child)

            world.add_actor(name, parent)

    executions = runs(spawning, 20, RandomWalk(2), audit=True)
    assert all(execution.finding is None for execution in executions)
    assert {tuple(sorted(names(execution))) for execution in executions} == {
        (("child", (0, 0)), ("child", (0, 1)), ("child", (1, 0)), ("child", (1, 1)), ("one", (0,)), ("two", (1,)))
    }


def test_a_hot_loop_that_takes_other_turns_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(world: World) -> None:
        for number in range(2):
            word = world.word(f"word {number}")
            world.add_actor(f"actor {number}", partial(_store_twice, word))

    def forgetful(self: Execution, *runner: Any) -> None:
        drive(self, *runner)
        self.offers[1] = (0,)

    assert run(build, audit=True).finding is None
    drive = Execution.drive
    monkeypatch.setattr(Execution, "drive", forgetful)
    finding = run(build, audit=True).finding
    assert finding is not None
    assert finding.message == (
        "actor 0 raised Undetermined: made again without the audit, the run is another one from step 1 on: an actor "
        "catches FootprintError, something else than the schedule decides, or Execution.drive takes other turns than "
        "Execution.next"
    )
    assert run(build).finding is None, "without an audit nothing is compared"


async def _store_twice(word: PhysAddr, cpu: Cpu) -> None:
    await cpu.store(word, 1)
    await cpu.store(word, 2)


def test_a_run_that_a_finding_cut_short_is_left_as_it_is() -> None:
    def failing(world: World) -> None:
        hidden(world, declared=False)

        @world.actor
        async def broken(cpu: Cpu) -> None:
            await cpu.access("break")
            raise ValueError("as before")

    finding = run(failing, Fifo(), audit=True).finding
    assert finding is not None
    assert finding.oracle == "ValueError"


COMBINATIONS = [(name, expected) for name in MODULES for expected in load(name).expected]


def wrong(executions: Sequence[Execution]) -> list[str]:
    found = [execution.finding for execution in executions]
    return [finding.message for finding in found if finding is not None and finding.oracle == "FootprintError"]


@pytest.mark.parametrize("count", [6, pytest.param(24, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("name", "expected"), COMBINATIONS, ids=[f"{name}-{identity(expected)}" for name, expected in COMBINATIONS]
)
def test_the_steps_of_every_shipped_combination_commute_where_they_declare_nothing_in_common(
    name: str, expected: Expected, count: int
) -> None:
    assert wrong(runs(of(load(name), expected.params), count, RandomWalk(11), audit=True)) == []
