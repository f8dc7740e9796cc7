"""When a time-out comes: at any moment, only when nothing else can move, or after some looks of the waiter."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import trio

from actors.runtime.primitives.events import Outcome
from actors.runtime.runners.controlled import controlled
from actors.runtime.runners.live import live
from actors.runtime.runners.referee import referee
from actors.runtime.runners.threads import threaded
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Fifo, RandomWalk, Replay
from actors.runtime.world import Cpu, Session, World
from stopmarker.kernel import Completion, WaitQueue
from tests.kernel.comparing import compare, seen_by
from tools.explore.dpor.dpor import Dpor
from tools.explore.search import Report, explore

from .running import run, transcript

Fill = Callable[[World], None]


def searched(fill: Fill, memory_model: str = "sc") -> Report:
    """All inequivalent schedules."""
    session = Session()

    def make() -> World:
        world = World(session, memory_model=memory_model)
        fill(world)
        return world

    async def main() -> Report:
        async with controlled() as driver:
            return await explore(driver, make, Dpor())

    return trio.run(main)


def answer(world: World, time_out: str | int, lost: bool = False) -> None:
    """A driver waits 10 s for an answer that takes a microsecond, unless the device loses the request."""
    asked, answered, gave_up = world.word("asked"), world.word("answer"), []

    @world.actor
    async def driver(cpu: Cpu) -> None:
        await cpu.store(asked, 1, "asked")
        if await cpu.poll_timeout(answered, bool, "answer", time_out=time_out) is None:  # type: ignore[arg-type]
            gave_up.append(1)

    @world.actor
    async def device(cpu: Cpu) -> None:
        await cpu.poll(asked, bool, "asked")
        if not lost:
            await cpu.store(answered, 1, "answer")

    world.eventually("an answer", lambda: "gave up" if gave_up else None)


@pytest.mark.parametrize(
    ("time_out", "lost", "failing", "schedules"),
    [("any", False, 1, 2), ("last", False, 0, 1), (3, False, 1, 4), ("any", True, 1, 1), ("last", True, 1, 1)],
)
def test_a_long_time_out_does_not_come_before_an_answer_that_is_on_its_way(
    time_out: str | int, lost: bool, failing: int, schedules: int
) -> None:
    report = searched(partial(answer, time_out=time_out, lost=lost))
    assert report.complete
    assert (report.failing, report.schedules) == (failing, schedules)


@pytest.mark.parametrize("model", ["tso", "arm"])
def test_so_it_is_on_weak_memory(model: str) -> None:
    for time_out, failing in (("any", 1), ("last", 0)):
        assert searched(partial(answer, time_out=time_out), model).failing == failing


def test_a_wait_that_says_nothing_takes_what_the_world_says() -> None:
    def fill(world: World, default: str) -> None:
        world.time_out = default  # type: ignore[assignment]
        answer(world, None)  # type: ignore[arg-type]

    assert searched(partial(fill, default="any")).failing == 1
    assert searched(partial(fill, default="last")).failing == 0


def two_waiters(world: World, seen: dict[str, object]) -> None:
    """Each gives up when nothing moves, and so lets the other go on, or not."""
    first, second = world.word("first"), world.word("second")

    async def waiter(cpu: Cpu) -> None:
        mine, other = (first, second) if cpu.name == "a" else (second, first)
        came = await cpu.poll_timeout(mine, bool, "mine", time_out="last")
        seen[cpu.name] = came is not None
        if came is None:
            await cpu.store(other, 1, "other")

    world.add_actor("a", waiter)
    world.add_actor("b", waiter)


def test_each_of_several_time_outs_may_be_the_first() -> None:
    found = compare(seen_by(two_waiters))
    assert found[:3] == (2, 2, 0)
    assert found.states == {(("a", False), ("b", True)), (("a", True), ("b", False))}


def test_what_comes_between_two_time_outs_is_searched_like_a_run() -> None:
    """Behind a time-out two writers race, as they did before it."""

    def build(world: World, seen: dict[str, object]) -> None:
        x, go = world.word("x"), world.word("go")

        async def writer(cpu: Cpu) -> None:
            await cpu.store(x, cpu.number, "x")
            await cpu.poll(go, bool, "go")
            await cpu.store(x, 10 + cpu.number, "x")

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await cpu.sleep()
            seen["before"] = await cpu.load(x, "x")
            await cpu.store(go, 1, "go")
            await cpu.sleep()
            seen["after"] = await cpu.load(x, "x")

        world.add_actor("one", writer)
        world.add_actor("two", writer)

    found = compare(seen_by(build))
    assert (found.classes, found.failing) == (4, 0)
    assert {tuple(value for _, value in state) for state in found.states} == {  # type: ignore[attr-defined]
        (after, before) for before in (1, 2) for after in (11, 12)
    }


def test_a_completion_and_a_wait_queue_time_out() -> None:
    def build(world: World, seen: dict[str, object], kind: str, time_out: str | int, completes: bool) -> None:
        done, queue, flag = Completion(world, "done"), WaitQueue(world, "queue"), world.word("flag")

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            if kind == "completion":
                seen["came"] = await done.wait_timeout(cpu, time_out=time_out)  # type: ignore[arg-type]
            else:
                seen["came"] = await queue.wait_event_timeout(
                    cpu,
                    lambda: bool(world.memory.read(flag)),
                    reads=[("word", flag)],
                    time_out=time_out,  # type: ignore[arg-type]
                )

        @world.actor
        async def other(cpu: Cpu) -> None:
            if completes:
                await cpu.store(flag, 1, "flag")
                await queue.wake_up(cpu)
                await done.complete(cpu)

    came = {
        (kind, time_out, completes): {
            dict(state)["came"]  # type: ignore[call-overload]
            for state in compare(seen_by(partial(build, kind=kind, time_out=time_out, completes=completes))).states
        }
        for kind in ("completion", "queue")
        for time_out in ("any", "last", 2)
        for completes in (True, False)
    }
    for (_, time_out, completes), seen in came.items():
        assert seen == ({False} if not completes else {True} if time_out == "last" else {True, False})


def test_idle_daemons_whose_time_is_over_do_not_keep_the_world_from_its_rest() -> None:
    def fill(world: World) -> None:
        ticks = world.word("ticks")

        @world.daemon
        async def watchdog(cpu: Cpu) -> None:
            while True:
                await cpu.sleep("tick", idle=True)
                await cpu.rmw(ticks, lambda n: n + 1, "ticks")

        @world.actor
        async def worker(cpu: Cpu) -> None:
            await cpu.poll(ticks, lambda n: n == 2, "two ticks")

    execution = run(fill, Fifo())
    assert execution.outcome is Outcome.QUIET
    assert [what for _, what, *_ in transcript(execution)].count("tick: time-out") == 2


def locked(world: World, hold: bool) -> None:
    """CPU0 asks a slow unit for something; CPU1 only wants the lock."""
    lock, answered = world.spinlock("lock"), world.word("answer")

    @world.actor
    async def cpu0(cpu: Cpu) -> None:
        await cpu.lock(lock)
        if not hold:
            await cpu.unlock(lock)
        await cpu.poll(answered, bool, "answer", sleeps=False)
        if hold:
            await cpu.unlock(lock)

    @world.actor
    async def cpu1(cpu: Cpu) -> None:
        await cpu.lock(lock)
        await cpu.unlock(lock)

    @world.daemon
    async def unit(cpu: Cpu) -> None:
        await cpu.sleep("the unit is slow")
        await cpu.store(answered, 1, "answer")


def test_who_spins_while_nothing_moves_is_a_soft_lockup() -> None:
    assert searched(partial(locked, hold=False)).failing == 0
    report = searched(partial(locked, hold=True))
    assert report.failing == report.schedules == 2
    assert set(report.found) == {("no-soft-lockup", "cpu0", "cpu1"), ("no-soft-lockup", "cpu0")}
    finding = run(partial(locked, hold=True), Fifo()).finding
    assert finding is not None
    assert finding.message == (
        "nothing else can move before `the unit is slow: time-out`, and until then somebody spins: cpu0 waits since "
        "step 1 for answer; cpu1 spins since step 0 for lock lock, held by cpu0 since step 0"
    )


def test_a_deadlock_says_who_spins() -> None:
    def fill(world: World) -> None:
        lock = world.spinlock("L")

        @world.actor
        async def main(cpu: Cpu) -> None:
            await cpu.lock(lock)
            await cpu.lock(lock)

    finding = run(fill, Fifo()).finding
    assert finding is not None
    assert finding.message == "main spins since step 1 for lock L, held by main since step 0"


def test_all_drivers_take_the_same_time_outs() -> None:
    async def main() -> None:
        async with controlled() as driver:
            for seed in range(8):
                session = Session()

                def made(session: Session = session) -> World:
                    world = World(session)
                    answer(world, "last", lost=True)
                    two_waiters(world, {})
                    return world

                one, two = driver.run(made(), RandomWalk(seed)), await referee(made(), RandomWalk(seed))
                assert transcript(one) == transcript(two)
                for other in (await live(made(), RandomWalk(seed)), threaded(made(), RandomWalk(seed))):
                    again: Execution = driver.run(made(), Replay(other.schedule))
                    assert transcript(again) == transcript(other)
                    assert sum(step.timed_out for step in other.steps) == 2

    trio.run(main)


def test_a_time_out_of_another_kind_is_refused() -> None:
    for wrong in ("lats", 0, True, 1.5):
        finding = run(partial(answer, time_out=wrong), Fifo()).finding  # type: ignore[arg-type]
        assert finding is not None
        assert f'time_out={wrong!r}: it comes at "any" moment, "last", or after' in finding.message


def test_a_thread_that_shares_its_cpu_times_out_as_well() -> None:
    def build(world: World, seen: dict[str, object]) -> None:
        word, cpu0 = world.word("x"), world.processor("cpu0")

        async def waiter(cpu: Cpu) -> None:
            seen[cpu.name] = await cpu.poll_timeout(word, lambda value: value == 2, "two", time_out="last")

        async def writer(cpu: Cpu) -> None:
            await cpu.store(word, 1, "x")

        world.add_actor("waiter", waiter, on=cpu0)
        world.add_actor("writer", writer, on=cpu0)

    found = compare(seen_by(build))
    assert found.failing == 0
    assert found.states == {(("waiter", None),)}
