"""The audit of orders: steps that declare nothing in common must commute, and every shipped combination's do."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actors.runtime.commute import names
from actors.runtime.execution import Execution
from actors.runtime.schedule import Fifo, RandomWalk
from actors.runtime.world import Cpu, World
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


@pytest.mark.parametrize(("declared", "found"), [(False, 5), (True, 0)])
def test_a_choice_is_a_step_like_any_other(declared: bool, found: int) -> None:
    made = runs(lambda world: outcomes(world, declared), 12, RandomWalk(3), audit=True)
    assert sum(execution.finding is not None for execution in made) == found


def test_actors_that_were_spawned_in_another_order_are_the_same() -> None:
    def spawning(world: World) -> None:
        async def child(cpu: Cpu) -> None:
            await cpu.access("live")

        for name in ("one", "two"):

            async def parent(cpu: Cpu, name: str = name) -> None:
                await cpu.spawn(f"child of {name}", child)
                await cpu.spawn(f"child of {name}", child)

            world.add_actor(name, parent)

    executions = runs(spawning, 20, RandomWalk(2), audit=True)
    assert all(execution.finding is None for execution in executions)
    assert {tuple(sorted(names(execution))) for execution in executions} == {
        (("child of one", 1), ("child of one", 2), ("child of two", 1), ("child of two", 2), ("one", 1), ("two", 1))
    }


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


@pytest.mark.parametrize(
    ("name", "expected"), COMBINATIONS, ids=[f"{name}-{identity(expected)}" for name, expected in COMBINATIONS]
)
def test_the_steps_of_every_shipped_combination_commute_where_they_declare_nothing_in_common(
    name: str, expected: Expected
) -> None:
    assert wrong(runs(of(load(name), expected.params), 12, RandomWalk(11), audit=True)) == []
