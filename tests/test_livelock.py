"""Livelock: everybody goes in turn, the whole state comes back, and somebody is not done. A long run is none."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import trio

from actors.runtime.primitives.events import Note, Outcome
from actors.runtime.runners.controlled import controlled
from actors.runtime.runners.live import live
from actors.runtime.runners.referee import referee
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.schedule import FAIR
from actors.runtime.runs.scheduler import Fifo, RandomWalk, Replay, ScheduleMismatch
from actors.runtime.world import Cpu, Session, World
from tools.experiments.experiment import open_experiment
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Budget, explore
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.fair import Fair
from tools.traces.container import encode
from tools.traces.trace import record

from .models import Request
from .running import run, runs, transcript

POLITE = "tests/tools/worlds.py::polite"


def polite(world: World) -> None:
    open_experiment(POLITE, {}).scenario.build(world, tries=0)


def fair(build: Callable[[World], None], bound: int = 2_000) -> Execution:
    """One run in which everybody goes in turn from the beginning, as far as there is a choice."""

    def bounded(world: World) -> None:
        build(world)
        world.step_bound = bound

    return run(bounded, Fair(0))


def test_two_who_step_back_from_each_other_for_ever_are_a_livelock() -> None:
    execution = fair(polite)
    finding = execution.finding
    assert finding is not None
    assert execution.outcome is finding.outcome is Outcome.LIVELOCK
    assert finding.message == (
        "a and b never finish, though everybody goes in turn: from step 0 on the same 6 steps again and again "
        "(a: rmw try mine, rmw try other, store mine; b: rmw try mine, rmw try other, store mine)"
    )
    assert finding.signature == ("no-livelock", "a", "b")
    assert execution.schedule == execution.failing == (FAIR,)
    assert [name for name, *_ in transcript(execution)] == ["a", "b"] * 3  # one round is recorded
    assert execution.index == len(execution.offers) == 6


def test_the_schedule_that_leads_into_a_livelock_replays_it() -> None:
    found = next(one for one in runs(polite, 20, Fair(3)) if len(one.choices) > 1 and one.finding)
    assert found.schedule == (0, 1, FAIR)
    again = run(polite, Replay(found.schedule))
    assert transcript(again) == transcript(found)
    assert again.finding == found.finding
    with pytest.raises(ScheduleMismatch, match="the run ended after 2 choices, the recording has 3"):
        run(polite, Replay((0, FAIR, 1)))


def test_chance_gets_out_of_it() -> None:
    assert {execution.outcome for execution in runs(polite, 100, RandomWalk(1))} == {Outcome.QUIET}


def counting(world: World, how: str) -> None:
    word = world.word("x")
    port = world.port("p", Request)

    @world.actor
    async def main(cpu: Cpu) -> None:
        if how == "for":
            for _ in range(5_000):
                await cpu.load(word, "x")
        turns = 0
        while how != "for":
            turns += how == "local"
            value = await cpu.load(word, "x")
            if how == "memory":
                await cpu.store(word, value + 1, "x")
            if how == "port":
                await cpu.send(port, Request(number=0, issued_under=0))


@pytest.mark.parametrize("how", ["for", "local", "memory", "port"])
def test_a_run_that_is_merely_long_is_no_livelock_wherever_its_progress_is(how: str) -> None:
    execution = fair(partial(counting, how=how), bound=300)
    assert execution.outcome is Outcome.BOUND
    assert execution.index == len(execution.steps) == 300


def test_what_comes_to_an_end_beyond_its_bound_is_no_livelock() -> None:
    def build(world: World) -> None:
        word = world.word("x")
        world.step_bound = 20

        @world.actor
        async def spinner(cpu: Cpu) -> None:
            while await cpu.load(word, "x") == 0:
                pass
            await cpu.note("beyond")

        @world.actor
        async def writer(cpu: Cpu) -> None:
            await cpu.store(word, 1, "x")

    execution = run(build, Fifo())
    assert execution.finding is not None
    assert execution.outcome is Outcome.BOUND
    assert (execution.finding.step, execution.index, execution.world.events) == (20, 20, [])
    assert execution.finding.message.startswith("still busy after 20 steps")


def waiting(world: World, polls: bool) -> None:
    port, word = world.port("answer", Request), world.word("x")
    if polls:

        @world.actor
        async def main(cpu: Cpu) -> None:
            await cpu.receive(port)

    else:

        @world.actor
        async def done(cpu: Cpu) -> None:
            await cpu.note("done")

    @world.daemon
    async def poller(cpu: Cpu) -> None:
        while True:
            await cpu.load(word, "x")


def test_a_daemon_that_polls_is_no_livelock_when_all_others_are_done() -> None:
    execution = fair(partial(waiting, polls=False), bound=300)
    assert execution.outcome is Outcome.BOUND
    assert len(execution.world.events) == 1


def test_who_waits_for_ever_while_a_daemon_polls_is_one() -> None:
    execution = fair(partial(waiting, polls=True), bound=300)
    assert execution.finding is not None
    assert execution.finding.message == (
        "main never finishes, though everybody goes in turn: from step 0 on the same step again and again "
        "(poller: load x; main waits since step 0 for a message from answer)"
    )
    assert execution.finding.signature == ("no-livelock", "main")


def test_hardware_takes_each_of_its_outcomes_in_turn() -> None:
    def build(world: World) -> None:
        @world.actor
        async def main(cpu: Cpu) -> None:
            for _ in range(80):
                await cpu.access("busy")
            while await cpu.choose("ready", 3) < 2:
                pass

    execution = fair(build, bound=10)
    assert execution.outcome is Outcome.BOUND
    assert fair(build).outcome is Outcome.QUIET


def test_nobody_who_can_go_is_passed_over_for_ever() -> None:
    """The third can go only while neither of the others has the lock."""

    def build(world: World) -> None:
        lock, word = world.mutex("L"), world.word("x")

        def worker(name: str) -> None:
            async def main(cpu: Cpu) -> None:
                while await cpu.load(word, "x") == 0:
                    await cpu.lock(lock)
                    await cpu.unlock(lock)

            world.add_actor(name, main)

        worker("one")
        worker("two")

        @world.actor
        async def third(cpu: Cpu) -> None:
            await cpu.lock(lock)
            await cpu.store(word, 1, "x")
            await cpu.unlock(lock)

    assert fair(build).outcome is Outcome.QUIET


def test_an_oracle_that_may_still_complain_keeps_a_loop_from_being_one() -> None:
    def build(world: World) -> None:
        seen: list[int] = []

        def complain(note: Note) -> str | None:
            seen.append(1)
            return "often enough" if len(seen) == 500 else None

        world.always("not too often", complain)

        @world.actor
        async def main(cpu: Cpu) -> None:
            while True:
                await cpu.note("again")

    assert fair(build, bound=600).outcome is Outcome.VIOLATED
    assert fair(build, bound=100).outcome is Outcome.BOUND, "what a run does beyond its bound does not count"


def test_an_exhaustive_search_with_a_bound_meets_it_and_does_not_claim_to_have_seen_everything() -> None:
    session = Session()

    def make() -> World:
        world = World(session)
        polite(world)
        world.step_bound = 12
        return world

    async def main() -> None:
        async with controlled() as driver:
            report = await explore(driver, make, Dpor())
        assert report.exhausted
        assert not report.complete
        assert [found.finding.outcome for found in report.found.values()] == [Outcome.BOUND, Outcome.LIVELOCK]
        assert (report.schedules, report.bounded) == (187, 169)

    trio.run(main)


def test_the_drivers_agree_on_the_tail() -> None:
    made = open_experiment(POLITE, {})

    async def main() -> None:
        async with controlled() as driver:
            for seed in range(5):
                fast, slow = Fair(seed), Fair(seed)
                for _ in range(4):
                    one = made.run(driver, fast)
                    first = encode(record(made.recipe(one.schedule), one))
                    other = await referee(made.world(), slow)
                    assert encode(record(made.recipe(other.schedule), other)) == first

    trio.run(main)


def test_live_goes_on_fairly_beyond_the_bound() -> None:
    async def main() -> Execution:
        session = Session()
        world = World(session)
        waiting(world, polls=True)
        return await live(world, RandomWalk(0))

    execution = trio.run(main)
    assert execution.outcome is Outcome.LIVELOCK
    again = run(partial(waiting, polls=True), Replay(execution.schedule))
    assert again.finding == execution.finding


def test_a_search_finds_it_by_being_fair_from_some_point_on() -> None:
    made = open_experiment(POLITE, {})

    async def main() -> None:
        async with controlled() as driver:
            chance = await explore(driver, made.world, Endless(RandomWalk(1)), Budget(schedules=200))
            in_turn = await explore(driver, made.world, Fair(1), Budget(schedules=20))
        assert not chance.found
        assert [found.finding.outcome for found in in_turn.found.values()] == [Outcome.LIVELOCK]
        assert in_turn.failing == 6

    trio.run(main)
