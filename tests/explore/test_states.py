"""Search by states: who finishes under every fair schedule, exact numbers of states, and random programs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import pytest
import trio

from actors.runtime.primitives.events import Outcome
from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import AGAIN
from actors.runtime.runs.scheduler import Replay, ScheduleMismatch
from actors.runtime.world import Session, World
from stopmarker import Count, Cpu, Name
from tests.comparison.enumeration import Classes, TooMany, enumerate_all
from tests.comparison.machine import Machine
from tests.comparison.scenario import program
from tests.running import run
from tools.explore.search import Budget, Report, explore
from tools.explore.states.states import States
from tools.searches.by_states import search_states

Fill = Callable[[World], None]


@dataclass(frozen=True)
class Asked:
    """A question with a name of its own."""

    number: Name


@dataclass(frozen=True)
class Numbered:
    """A question with a number of its own."""

    number: int


def searched(fill: Fill, most: int | None = None) -> tuple[States, Report]:
    """All states of a world, or so many."""
    session = Session()

    def make() -> World:
        world = World(session)
        fill(world)
        return world

    async def main() -> tuple[States, Report]:
        async with controlled() as driver:
            states = States(make().must_finish, most)
            return states, await search_states(driver, make, states, Budget(), Report(), lambda _: None)

    return trio.run(main)


def queue(world: World, waits: str) -> None:
    """Records come and are taken for ever; somebody waits until the queue is empty, or until as many are taken as were
    there when he came."""
    length, left = world.word("length"), world.word("left")
    read, write = world.memory.read, world.memory.write

    @world.daemon
    async def producer(cpu: Cpu) -> None:
        while True:
            await cpu.wait("room", lambda: read(length) < 2, writes=[("word", length)])
            write(length, read(length) + 1)

    @world.daemon
    async def consumer(cpu: Cpu) -> None:
        while True:
            await cpu.wait("a record", lambda: read(length) > 0, writes=[("word", length), ("word", left)])
            write(length, read(length) - 1)
            write(left, max(read(left) - 1, 0))

    @world.actor
    async def drainer(cpu: Cpu) -> None:
        if waits == "empty":
            await cpu.poll(length, lambda value: value == 0, "the queue is empty")
            return
        await cpu.atomically("look", lambda: write(left, read(length)), reads=[length], writes=[left])
        await cpu.poll(left, lambda value: value == 0, "those are taken")

    world.finishes("drainer")


def test_a_wait_for_an_empty_queue_starves_under_endless_load() -> None:
    states, report = searched(partial(queue, waits="empty"))
    (found,) = report.found.values()
    assert (found.finding.outcome, found.finding.signature) == (Outcome.LIVELOCK, ("finishes", "drainer"))
    assert found.finding.message == (
        "drainer never finishes, though everybody who can go again and again goes: from step 1 on the same 2 steps "
        "again and again (producer: room; consumer: a record; drainer waits since step 0 for the queue is empty)"
    )
    assert (len(states.graph.states), states.graph.edges) == (6, 9)


def test_a_wait_for_a_count_of_what_was_handed_over_finishes() -> None:
    states, report = searched(partial(queue, waits="count"))
    assert report.complete
    assert not report.found
    assert (len(states.graph.states), states.graph.edges) == (12, 22)


def reading(world: World, declared: bool) -> None:
    """A reader looks at a counter twice, and begins again if it moved."""
    count = world.counter("count") if declared else world.word("count")

    @world.daemon
    async def writer(cpu: Cpu) -> None:
        while True:
            await cpu.rmw(count, lambda value: value + 1, "count")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        while Count(await cpu.load(count, "count"), count) != await cpu.load(count, "count"):
            pass

    world.finishes("reader")


def test_a_counter_counts_by_its_differences_only_where_that_is_declared() -> None:
    (found,) = searched(partial(reading, declared=True), 200)[1].found.values()
    assert found.finding.signature == ("finishes", "reader")
    states, report = searched(partial(reading, declared=False), 200)
    assert len(states.graph.states) == 200
    assert not (report.complete or report.found)


def test_who_can_go_again_and_again_goes_but_not_in_one_step_of_many() -> None:
    """Under a fair schedule a lock that is given back again and again is had at last; a look at the right moment is
    not."""

    def fill(world: World, how: str) -> None:
        lock, flag = world.mutex("lock"), world.word("flag")

        @world.daemon
        async def busy(cpu: Cpu) -> None:
            while True:
                await cpu.lock(lock)
                await cpu.store(flag, 1, "flag")
                await cpu.store(flag, 0, "flag")
                await cpu.unlock(lock)

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            if how == "lock":
                await cpu.lock(lock)
                await cpu.unlock(lock)
            elif how == "try":
                while not await lock.try_acquire(cpu):
                    pass
                await cpu.unlock(lock)
            else:
                await cpu.poll(flag, bool, "flag")

        world.finishes("waiter")

    seen = {}
    for how in ("lock", "try", "poll"):
        states, report = searched(partial(fill, how=how))
        seen[how] = (len(states.graph.states), bool(report.found))
    assert seen == {"lock": (9, False), "try": (13, True), "poll": (8, False)}


def test_each_outcome_of_hardware_comes_at_last() -> None:
    def fill(world: World, options: int) -> None:
        @world.actor
        async def main(cpu: Cpu) -> None:
            while await cpu.choose("answer", 3) < options:
                pass

        world.finishes("main")

    assert not searched(partial(fill, options=2))[1].found
    (found,) = searched(partial(fill, options=3))[1].found.values()
    assert found.finding.message.endswith("the same 3 steps again and again (main: answer, answer, answer)")


def asking(world: World, named: bool) -> None:
    """Each question has a number of its own, and none is answered well."""
    kind = Asked if named else Numbered
    questions, answers, gate = world.port("questions", kind), world.port("answers", kind), world.word("gate")

    @world.daemon
    async def server(cpu: Cpu) -> None:
        while True:
            await cpu.send(answers, await cpu.receive(questions))

    @world.actor
    async def client(cpu: Cpu) -> None:
        number = 0
        while not await cpu.load(gate, "gate"):
            number = Name(number + 1) if named else number + 1
            question = Asked(number=Name(number)) if named else Numbered(number=number)
            await cpu.send(questions, question)
            assert await cpu.receive(answers) == question

    world.finishes("client")


def test_a_number_that_is_only_compared_for_equality_is_no_matter() -> None:
    (found,) = searched(partial(asking, named=True), 500)[1].found.values()
    assert found.finding.signature == ("finishes", "client")
    states, report = searched(partial(asking, named=False), 500)
    assert not report.found
    assert len(states.graph.states) == 500


def test_nobody_of_that_name_or_a_daemon_is_refused() -> None:
    def fill(world: World, name: str) -> None:
        @world.actor
        async def reader(cpu: Cpu) -> None:
            await cpu.access("read")

        @world.daemon
        async def writer(cpu: Cpu) -> None:
            await cpu.wait("nothing", lambda: False, reads=["x"], idle=True)

        world.finishes(name)

    with pytest.raises(Exception, match=r"world.finishes\('reder'\): no actor is called so; there are reader, writer"):
        searched(partial(fill, name="reder"))
    with pytest.raises(Exception, match="it is a daemon, which need not finish"):
        searched(partial(fill, name="writer"))


def test_what_is_no_circle_is_not_taken_for_one() -> None:
    def fill(world: World) -> None:
        x, lock = world.word("x"), world.mutex("L")

        @world.actor
        async def counting(cpu: Cpu) -> None:
            while True:
                await cpu.rmw(x, lambda value: value + 1, "x")

        @world.actor
        async def idling(cpu: Cpu) -> None:
            while True:
                await cpu.lock(lock)
                await cpu.unlock(lock)

        @world.actor
        async def third(cpu: Cpu) -> None:
            await cpu.lock(lock)
            await cpu.unlock(lock)

    for schedule, why in (
        ((AGAIN, 0, 1, 1, AGAIN), "the state does not come back"),
        ((AGAIN, 1, 1, AGAIN), "counting could go in it and never does"),
        ((AGAIN, AGAIN), "nothing is done in it"),
    ):
        with pytest.raises(ScheduleMismatch, match=f"is no circle: {why}"):
            run(fill, Replay(schedule))


FIRST, PROGRAMS = 30_000, 100


def test_all_states_show_what_all_interleavings_show() -> None:
    """Random programs: the same ends, and the same failures."""
    compared = states_of_all = 0

    async def main() -> None:
        nonlocal compared, states_of_all
        async with controlled() as driver:
            for seed in range(FIRST, FIRST + PROGRAMS):
                made, session = program(seed), Session()
                try:
                    everything = enumerate_all(made, Classes(), 200)
                except TooMany:
                    continue
                ends, failures, machines = set[object](), set[object](), list[Machine]()

                def make(made=made, session=session, machines=machines) -> World:  # type: ignore[no-untyped-def]
                    world = World(session, frames=4)
                    machines[:] = [Machine(made, world)]
                    return world

                def watch(execution: Execution, ends=ends, failures=failures, machines=machines) -> None:  # type: ignore[no-untyped-def]
                    if execution.finding is None:
                        ends.add(machines[0].state())
                    else:
                        failures.add(execution.finding.signature)

                states = States()
                report = await explore(driver, make, states, watch=watch)
                assert report.complete, states.unclear
                assert failures == {one for found in everything.failures.values() for one in found}, seed
                assert ends == {end.state for end in everything.ends.values() if end.failure is None}, seed
                compared += 1
                states_of_all += len(states.graph.states)

    trio.run(main)
    assert (compared, states_of_all) == (76, 1430)
