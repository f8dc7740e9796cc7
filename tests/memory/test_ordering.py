"""What orders words besides barriers: locks, messages, works, spawns, interrupts, waits, registers; what does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from actors.runtime.kernel.completion import Completion
from actors.runtime.kernel.rcu import Rcu
from actors.runtime.world import Cpu, World
from hw.bus import PhysAddr
from hw.memory import MMIO, WORD_BYTES
from scenarios.scenario import scenario
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor

Build = Callable[[World, PhysAddr], None]


@dataclass(frozen=True, slots=True)
class Ping:
    """A message."""

    number: int = 1


def values(build: Build, model: str) -> set[int]:
    """What the reader can see of `data`, which the writer sets to 1 before it tells him; -1 if he is not told."""
    found: set[int] = set()

    @scenario()
    def world_of(world: World) -> None:
        seen = [-1]
        data = world.word("data")
        world.always("seen", lambda note: seen.append(int(note.value)))
        build(world, data)
        world.eventually("kept", lambda: found.add(seen[-1]))

    report = search(worlds(world_of, memory=model), Dpor())
    assert report.complete and not report.found, report.found
    return found


async def write(cpu: Cpu, data: PhysAddr) -> None:
    await cpu.store(data, 1, "data")


async def look(cpu: Cpu, data: PhysAddr) -> None:
    await cpu.note("data", await cpu.load(data, "data"))


def by_port(world: World, data: PhysAddr) -> None:
    port = world.port("port", Ping)

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.send(port, Ping())

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.receive(port)
        await look(cpu, data)


def by_work(world: World, data: PhysAddr) -> None:
    queue = world.workqueue("works", Ping)

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await queue.queue(Ping())

    @world.actor
    async def reader(cpu: Cpu) -> None:
        number, _ = await queue.take(cpu)
        await look(cpu, data)
        await queue.finish(number)


def by_completion(world: World, data: PhysAddr) -> None:
    done = Completion(world, "done")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await done.complete(cpu)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await done.wait(cpu)
        await look(cpu, data)


def by_sections(world: World, data: PhysAddr) -> None:
    rcu, told = Rcu(world), world.word("told")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await rcu.read_lock(cpu)
        await cpu.store(told, 1, "told")
        await rcu.read_unlock(cpu)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await rcu.read_lock(cpu)
        if await cpu.load(told, "told"):
            await look(cpu, data)
        await rcu.read_unlock(cpu)


def by_grace_period(world: World, data: PhysAddr) -> None:
    rcu, gone = Rcu(world), world.word("gone")

    @world.actor
    async def updater(cpu: Cpu) -> None:
        await cpu.store(gone, 1, "gone")
        await rcu.synchronize(cpu)
        await write(cpu, data)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await rcu.read_lock(cpu)
        if not await cpu.load(gone, "gone"):
            await look(cpu, data)
        await rcu.read_unlock(cpu)


def by_spawn(world: World, data: PhysAddr) -> None:
    @world.actor
    async def writer(cpu: Cpu) -> None:
        async def reader(other: Cpu) -> None:
            await look(other, data)

        await write(cpu, data)
        await cpu.spawn("reader", reader)


def by_lock(world: World, data: PhysAddr) -> None:
    lock, told = world.mutex("lock"), world.word("told")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.lock(lock)
        await cpu.store(told, 1, "told")
        await cpu.unlock(lock)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.lock(lock)
        is_told = await cpu.load(told, "told")
        await cpu.unlock(lock)
        if is_told:
            await look(cpu, data)


def by_rwlock(world: World, data: PhysAddr) -> None:
    lock, told = world.rwlock("lock"), world.word("told")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await lock.acquire_write(cpu)
        await cpu.store(told, 1, "told")
        await lock.release_write(cpu)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await lock.acquire_read(cpu)
        is_told = await cpu.load(told, "told")
        await lock.release_read(cpu)
        if is_told:
            await look(cpu, data)


def by_interrupt(world: World, data: PhysAddr) -> None:
    irq = world.interrupt("irq")

    async def device(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.access("raise", writes=(irq.resource,))
        irq.raise_now()

    world.add_actor("device", device, hardware=True)

    @world.actor
    async def handler(cpu: Cpu) -> None:
        await irq.take(cpu)
        await look(cpu, data)


def _by_state(world: World, data: PhysAddr, *, barriers: bool) -> None:
    state = ("state", 0)
    told = [False]

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        if barriers:
            await cpu.wmb()
        await cpu.access("tell", writes=(state,))
        told[0] = True

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.wait("told", lambda: told[0], reads=(state,))
        if barriers:
            await cpu.rmb()
        await look(cpu, data)


def by_state(world: World, data: PhysAddr) -> None:
    _by_state(world, data, barriers=False)


def by_state_with_barriers(world: World, data: PhysAddr) -> None:
    _by_state(world, data, barriers=True)


def _by_poll(world: World, data: PhysAddr, *, barrier: bool) -> None:
    flag = world.word("flag")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.store_release(flag, 1, "flag")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.poll(flag, bool, "flag")
        if barrier:
            await cpu.rmb()
        await look(cpu, data)


def by_poll(world: World, data: PhysAddr) -> None:
    _by_poll(world, data, barrier=False)


def by_poll_with_barrier(world: World, data: PhysAddr) -> None:
    _by_poll(world, data, barrier=True)


def by_hardware(world: World, data: PhysAddr) -> None:
    flag = world.word("flag")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.dma_wmb()
        await cpu.store(flag, 1, "flag")

    async def device(cpu: Cpu) -> None:
        if await cpu.load(flag, "flag"):
            await look(cpu, data)

    world.add_actor("device", device, hardware=True)


def _by_register(world: World, data: PhysAddr, *, relaxed: bool) -> None:
    doorbell = world.frames.allocate(MMIO)

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await (cpu.writel_relaxed if relaxed else cpu.writel)(doorbell, 1, "doorbell")

    async def device(cpu: Cpu) -> None:
        await cpu.poll(doorbell, bool, "doorbell")
        await look(cpu, data)

    world.add_actor("device", device, hardware=True)


def by_register(world: World, data: PhysAddr) -> None:
    _by_register(world, data, relaxed=False)


def by_relaxed_register(world: World, data: PhysAddr) -> None:
    _by_register(world, data, relaxed=True)


def by_pointer(world: World, data: PhysAddr) -> None:
    pointer = world.word("pointer")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.store_release(pointer, data, "pointer")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        there = await cpu.rcu_dereference(pointer, "pointer")
        if there:
            await look(cpu, PhysAddr(there))


def by_unmarked_pointer(world: World, data: PhysAddr) -> None:
    pointer = world.word("pointer")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await write(cpu, data)
        await cpu.store_release(pointer, data, "pointer")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        there = await cpu.load(pointer, "pointer")
        if there:
            await look(cpu, PhysAddr(there))


@pytest.mark.parametrize(
    ("build", "arm"),
    [
        (by_port, {1}),
        (by_work, {1}),
        (by_completion, {1}),
        (by_sections, {-1, 0, 1}),
        (by_spawn, {1}),
        (by_lock, {-1, 1}),
        (by_rwlock, {-1, 1}),
        (by_interrupt, {1}),
        (by_state, {0, 1}),
        (by_state_with_barriers, {1}),
        (by_poll, {0, 1}),
        (by_poll_with_barrier, {1}),
        (by_hardware, {-1, 1}),
        (by_register, {1}),
        (by_relaxed_register, {0, 1}),
        (by_pointer, {-1, 1}),
        (by_unmarked_pointer, {-1, 0, 1}),
    ],
)
def test_what_is_told_is_seen_where_that_orders_it(build: Build, arm: set[int]) -> None:
    assert values(build, "arm") == arm
    assert values(build, "tso") == values(build, "sc") == arm - {0}


@pytest.mark.parametrize("memory", ["sc", "tso", "arm"])
def test_who_reads_before_the_end_of_a_grace_period_sees_nothing_of_what_comes_behind(memory: str) -> None:
    assert values(by_grace_period, memory) == {-1, 0}


def test_notes_order_nothing() -> None:
    found: set[tuple[int, ...]] = set()

    @scenario()
    def noted(world: World) -> None:
        data, notes = world.word("data"), list[int]()
        world.always("noted", lambda note: notes.append(int(note.value)))

        @world.actor
        async def writer(cpu: Cpu) -> None:
            await write(cpu, data)
            await cpu.wmb()
            await cpu.note("data", 7)

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await cpu.note("data", 8)
            await cpu.rmb()
            await look(cpu, data)

        world.eventually("kept", lambda: found.add(tuple(notes)))

    assert search(worlds(noted, memory="arm"), Dpor()).complete
    assert (7, 8, 0) in found


def test_to_take_a_lock_is_no_release() -> None:
    found: set[tuple[int, int]] = set()

    @scenario()
    def locked(world: World) -> None:
        lock, x, y, got = world.rwlock("lock"), world.word("x"), world.word("y"), [0, 0]

        @world.actor
        async def first(cpu: Cpu) -> None:
            await cpu.store(x, 1, "x")
            await lock.acquire_read(cpu)
            got[0] = await cpu.load_acquire(y, "y")
            await lock.release_read(cpu)

        @world.actor
        async def second(cpu: Cpu) -> None:
            await cpu.store(y, 1, "y")
            await cpu.mb()
            got[1] = await cpu.load(x, "x")

        world.eventually("kept", lambda: found.add((got[0], got[1])))

    assert search(worlds(locked, memory="arm"), Dpor()).complete
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_a_wait_may_miss_a_value_that_was_there_for_a_moment() -> None:
    @scenario()
    def moment(world: World) -> None:
        word = world.word("word")

        @world.actor
        async def writer(cpu: Cpu) -> None:
            await cpu.store(word, 1, "word")
            await cpu.store(word, 2, "word")

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await cpu.poll(word, lambda value: value == 1, "word = 1")

    for model in ("sc", "tso", "arm"):
        report = search(worlds(moment, memory=model), Dpor())
        assert report.complete
        assert {signature[0] for signature in report.found} == {"no-deadlock"}


def test_a_dependency_on_an_unmarked_load_is_refused() -> None:
    @scenario()
    def unmarked(world: World) -> None:
        word = world.word("word")

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await cpu.store(word, 1, "word", depends=await cpu.load(word, "word"))

    report = search(worlds(unmarked, memory="arm"), Dpor())
    (found,) = report.found.values()
    assert "depends=0: give what `rcu_dereference` gave" in found.finding.message


@pytest.mark.parametrize("model", ["sc", "tso", "arm"])
def test_an_access_outside_memory_is_an_error_of_the_actor(model: str) -> None:
    @scenario()
    def outside(world: World) -> None:
        @world.actor
        async def reader(cpu: Cpu) -> None:
            await cpu.load(PhysAddr(3), "nowhere")

    report = search(worlds(outside, memory=model), Dpor())
    (found,) = report.found.values()
    assert "BusError" in found.finding.message


def test_more_outcomes_than_a_schedule_can_say_are_an_error() -> None:
    @scenario()
    def many(world: World) -> None:
        words = [world.word(f"word {number}") for number in range(9)]
        done = world.word("done")

        @world.actor
        async def writer(cpu: Cpu) -> None:
            for word in words:
                await cpu.store(word, 1, "word")
            await cpu.store(done, 1, "done")

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await cpu.poll(done, bool, "done")
            await cpu.load_words(words[0], 9, "words")

    report = search(worlds(many, memory="arm"), Dpor(), stop_at_first=True)
    (found,) = report.found.values()
    assert "an access has 512 outcomes, and a step at most 254" in found.finding.message


def pairs(build: Callable[[World, list[int]], None], model: str) -> set[tuple[int, ...]]:
    """What the reader can get of two things that a writer sets one after the other."""
    found: set[tuple[int, ...]] = set()

    @scenario()
    def world_of(world: World) -> None:
        got: list[int] = []
        build(world, got)
        world.eventually("kept", lambda: found.add(tuple(got)))

    report = search(worlds(world_of, memory=model), Dpor())
    assert report.complete and not report.found, report.found
    return found


def two_words_in_one_step(world: World, got: list[int]) -> None:
    first, second = world.word("first"), world.word("second")
    assert second == first + WORD_BYTES

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(first, 1, "first")
        await cpu.wmb()
        await cpu.store(second, 1, "second")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        got.extend(await cpu.load_words(first, 2, "both"))


def a_word_and_state_in_one_step(world: World, got: list[int]) -> None:
    word, state = world.word("word"), [0]

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(word, 1, "word")
        await cpu.access("state", writes=("state",))
        state[0] = 1

    async def device(cpu: Cpu) -> None:
        got.extend(await cpu.load_apart(word, 1, [(0,)], "word", then=("state",)))
        got.append(state[0])

    world.add_actor("device", device, hardware=True)


@pytest.mark.parametrize("build", [two_words_in_one_step, a_word_and_state_in_one_step])
def test_a_step_that_looks_at_two_things_may_see_the_later_one_alone(
    build: Callable[[World, list[int]], None],
) -> None:
    """Its access of the first cannot have been made in an earlier step, as the step comes after the second."""
    assert pairs(build, "sc") == {(0, 0), (1, 0), (1, 1)}
    assert pairs(build, "tso") == pairs(build, "arm") == {(0, 0), (0, 1), (1, 0), (1, 1)}
