"""What the primitives of the kernel order on x86 and Armv8: litmus tests that have one of them in the middle."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from actors.runtime.kernel.completion import Completion
from actors.runtime.kernel.irq import IrqAction, IrqLine
from actors.runtime.kernel.rcu import Rcu
from actors.runtime.kernel.refcount import RefCount
from actors.runtime.kernel.wait_queue import WaitQueue
from actors.runtime.world import Cpu, World
from scenarios.scenario import scenario
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor

Pair = tuple[int, int]
Middle = Callable[[Cpu], Awaitable[object]]
Primitive = Callable[[World], tuple[Middle, Middle, Middle]]
"""What is done first, in the middle, and last."""
SEQUENTIAL = {(0, 1), (1, 0), (1, 1)}
BUFFERED = SEQUENTIAL | {(0, 0)}


def ends(build: Callable[[World, list[int]], None], model: str) -> set[tuple[int, ...]]:
    """What the two CPUs of a scenario can get."""
    found: set[tuple[int, ...]] = set()

    @scenario()
    def litmus(world: World) -> None:
        got = [0, 0]
        build(world, got)
        world.eventually("kept", lambda: found.add(tuple(got)))

    report = search(worlds(litmus, memory=model), Dpor())
    assert report.complete and not report.found, report.found
    return found


def store_buffer(primitive: Primitive, model: str) -> set[tuple[int, ...]]:
    """Two CPUs each store and look at what the other stores; one has a barrier in between, one a primitive."""

    def build(world: World, got: list[int]) -> None:
        words = world.word("x"), world.word("y")
        first, middle, last = primitive(world)

        @world.actor
        async def cpu0(cpu: Cpu) -> None:
            await first(cpu)
            await cpu.store(words[0], 1, "x")
            await middle(cpu)
            got[0] = await cpu.load(words[1], "y")
            await last(cpu)

        @world.actor
        async def cpu1(cpu: Cpu) -> None:
            await cpu.store(words[1], 1, "y")
            await cpu.mb()
            got[1] = await cpu.load(words[0], "x")

    return ends(build, model)


async def nothing(_: Cpu) -> None:
    """No step."""


def failed_trylock(world: World) -> tuple[Middle, Middle, Middle]:
    lock = world.mutex("lock")
    return lock.acquire, lock.try_acquire, lock.release


def trylock(world: World) -> tuple[Middle, Middle, Middle]:
    lock = world.spinlock("lock")
    return nothing, lock.try_acquire, lock.release


def failed_read_trylock(world: World) -> tuple[Middle, Middle, Middle]:
    lock = world.rwlock("lock")
    return lock.acquire_write, lock.try_acquire_read, lock.release_write


def failed_write_trylock(world: World) -> tuple[Middle, Middle, Middle]:
    lock = world.rwlock("lock")
    return lock.acquire_read, lock.try_acquire_write, lock.release_read


def refcount_read(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, RefCount(world).read, nothing


def refcount_inc(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, RefCount(world).get, nothing


def refcount_inc_not_zero(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, RefCount(world).get_unless_zero, nothing


def refcount_inc_of_zero(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, RefCount(world, value=0).get_unless_zero, nothing


def last_put(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, RefCount(world).put, nothing


def complete(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Completion(world).complete, nothing


def reinit(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Completion(world).reinit, nothing


def try_wait(world: World) -> tuple[Middle, Middle, Middle]:
    done = Completion(world)
    return done.complete, done.try_wait, nothing


def failed_try_wait(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Completion(world).try_wait, nothing


def is_not_done(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Completion(world).done, nothing


def timed_out(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Completion(world).wait_timeout, nothing


def synchronize(world: World) -> tuple[Middle, Middle, Middle]:
    return nothing, Rcu(world).synchronize, nothing


def atomically(_: World) -> tuple[Middle, Middle, Middle]:
    return nothing, lambda cpu: cpu.atomically("swap", lambda: None, writes=["state"]), nothing


@pytest.mark.parametrize(
    ("primitive", "tso", "arm"),
    [
        (failed_trylock, BUFFERED, BUFFERED),
        (trylock, SEQUENTIAL, BUFFERED),
        (failed_read_trylock, BUFFERED, BUFFERED),
        (failed_write_trylock, BUFFERED, BUFFERED),
        (refcount_read, BUFFERED, BUFFERED),
        (refcount_inc, SEQUENTIAL, BUFFERED),
        (refcount_inc_not_zero, SEQUENTIAL, BUFFERED),
        (refcount_inc_of_zero, BUFFERED, BUFFERED),
        (last_put, SEQUENTIAL, BUFFERED),
        (complete, SEQUENTIAL, BUFFERED),
        (reinit, BUFFERED, BUFFERED),
        (try_wait, SEQUENTIAL, BUFFERED),
        (failed_try_wait, BUFFERED, BUFFERED),
        (is_not_done, BUFFERED, BUFFERED),
        (timed_out, SEQUENTIAL, BUFFERED),
        (synchronize, SEQUENTIAL, SEQUENTIAL),
        (atomically, BUFFERED, BUFFERED),
    ],
)
def test_what_drains_a_store_buffer(primitive: Primitive, tso: set[Pair], arm: set[Pair]) -> None:
    assert store_buffer(primitive, "sc") == SEQUENTIAL
    assert store_buffer(primitive, "tso") == tso
    assert store_buffer(primitive, "arm") == arm


def grace_periods(world: World, got: list[int]) -> None:
    rcu, words = Rcu(world), (world.word("x"), world.word("y"))

    def cpu(me: int) -> Callable[[Cpu], Awaitable[None]]:
        async def main(cpu: Cpu) -> None:
            await cpu.store(words[me], 1, f"word {me}")
            await rcu.synchronize(cpu)
            got[me] = await cpu.load(words[1 - me], f"word {1 - me}")

        return main

    for me in range(2):
        world.add_actor(f"cpu{me}", cpu(me))  # type: ignore[arg-type]


def gets(world: World, got: list[int]) -> None:
    count, words = RefCount(world), (world.word("x"), world.word("y"))

    def cpu(me: int) -> Callable[[Cpu], Awaitable[None]]:
        async def main(cpu: Cpu) -> None:
            await cpu.store(words[me], 1, f"word {me}")
            await count.get(cpu)
            got[me] = await cpu.load(words[1 - me], f"word {1 - me}")

        return main

    for me in range(2):
        world.add_actor(f"cpu{me}", cpu(me))  # type: ignore[arg-type]


@pytest.mark.parametrize(("build", "arm"), [(grace_periods, SEQUENTIAL), (gets, BUFFERED)])
def test_steps_that_do_not_race_order_none_of_them_first(
    build: Callable[[World, list[int]], None], arm: set[Pair]
) -> None:
    """One order of the two stands for both, so what is seen may not depend on it."""
    assert ends(build, "sc") == ends(build, "tso") == SEQUENTIAL
    assert ends(build, "arm") == arm


def looked_before(world: World, got: list[int]) -> None:
    """Who reads a count before it changes leaves nothing to who changes it; -1 if it was changed before."""
    count, word = RefCount(world), world.word("x")

    @world.actor
    async def reads(cpu: Cpu) -> None:
        await cpu.store(word, 1, "x")
        got[0] = await count.read(cpu)

    @world.actor
    async def changes(cpu: Cpu) -> None:
        await count.get(cpu)
        got[1] = await cpu.load(word, "x")


def test_to_look_at_a_count_leaves_nothing() -> None:
    assert ends(looked_before, "sc") == {(1, 1), (2, 0), (2, 1)}
    assert ends(looked_before, "tso") == ends(looked_before, "arm") == {(1, 0), (1, 1), (2, 0), (2, 1)}


def put_by_two(world: World, got: list[int]) -> None:
    """Whoever drops the last reference sees what the other one did before it dropped its own."""
    count, words = RefCount(world, value=2), (world.word("x"), world.word("y"))

    def cpu(me: int) -> Callable[[Cpu], Awaitable[None]]:
        async def main(cpu: Cpu) -> None:
            await cpu.store(words[me], 1, f"word {me}")
            if await count.put(cpu):
                got[me] = 1 + await cpu.load(words[1 - me], f"word {1 - me}")

        return main

    for me in range(2):
        world.add_actor(f"cpu{me}", cpu(me))  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["sc", "tso", "arm"])
def test_the_last_put_comes_after_all_others(model: str) -> None:
    assert ends(put_by_two, model) == {(0, 2), (2, 0)}


def atomically_read(world: World, got: list[int]) -> None:
    words = world.word("x"), world.word("y")

    def cpu(me: int) -> Callable[[Cpu], Awaitable[None]]:
        async def main(cpu: Cpu) -> None:
            await cpu.store(words[me], 1, f"word {me}")
            other = words[1 - me]
            got[me] = await cpu.atomically("look", lambda: world.memory.read(other), reads=[other])

        return main

    for me in range(2):
        world.add_actor(f"cpu{me}", cpu(me))  # type: ignore[arg-type]


def waited_for_two(world: World, got: list[int]) -> None:
    """Who waits for one word does not know how new the other one is."""
    x, y = world.word("x"), world.word("y")

    @world.actor
    async def cpu0(cpu: Cpu) -> None:
        await cpu.store(x, 1, "x")
        await cpu.wmb()
        await cpu.store(y, 1, "y")

    @world.actor
    async def cpu1(cpu: Cpu) -> None:
        got[:] = await cpu.poll_words([x, y], lambda _, flag: flag, "flag")


def freed_interrupt(world: World, got: list[int]) -> None:
    """free_irq comes behind what the handler did."""
    word = world.word("x")

    async def handler(cpu: Cpu) -> bool:
        await cpu.store(word, 1, "x")
        got[0] = 1
        return False

    action = IrqAction("nic", handler)
    line = IrqLine(world, "line", action)

    @world.actor
    async def remove(cpu: Cpu) -> None:
        await line.raise_msi(cpu)
        await line.free(cpu, action)
        got[1] = await cpu.load(word, "x")


@pytest.mark.parametrize(
    ("build", "sc", "tso", "arm"),
    [
        (atomically_read, SEQUENTIAL, BUFFERED, BUFFERED),
        (waited_for_two, {(1, 1)}, {(1, 1), (0, 1)}, {(1, 1), (0, 1)}),
        (freed_interrupt, {(0, 0), (1, 1)}, {(0, 0), (1, 1)}, {(0, 0), (1, 1)}),
    ],
)
def test_what_a_step_may_see(
    build: Callable[[World, list[int]], None], sc: set[Pair], tso: set[Pair], arm: set[Pair]
) -> None:
    assert ends(build, "sc") == sc
    assert ends(build, "tso") == tso
    assert ends(build, "arm") == arm


def test_a_change_that_raises_raises_in_its_actor() -> None:
    """Not in the search that asks which older values it may be given."""
    raised: set[int] = set()

    def divided(world: World, got: list[int]) -> None:
        x, y = world.word("x"), world.word("y")

        @world.actor
        async def cpu0(cpu: Cpu) -> None:
            await cpu.store(x, 1, "x")
            await cpu.wmb()
            await cpu.store(y, 1, "y")

        @world.actor
        async def cpu1(cpu: Cpu) -> None:
            got[0] = await cpu.load(y, "y")
            try:
                await cpu.rmw(x, lambda value: 6 // value, "x")
            except ZeroDivisionError:
                got[1] = 1
                raised.add(got[0])

    assert ends(divided, "tso") == {(0, 0), (0, 1), (1, 0)}
    assert ends(divided, "arm") == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert raised == {0, 1}


@pytest.mark.parametrize(("model", "raises"), [("sc", False), ("tso", True), ("arm", True)])
def test_a_condition_that_raises_for_older_words_raises_in_its_actor(model: str, raises: bool) -> None:
    def divided(world: World, got: list[int]) -> None:
        x, y = world.word("x"), world.word("y")

        @world.actor
        async def cpu0(cpu: Cpu) -> None:
            await cpu.store(x, 1, "x")
            await cpu.wmb()
            await cpu.store(y, 1, "y")

        @world.actor
        async def cpu1(cpu: Cpu) -> None:
            try:
                await cpu.poll_words([x, y], lambda value, flag: flag and 6 // value, "flag")
            except ZeroDivisionError:
                got[0] = 1

    assert ends(divided, model) == ({(0, 0), (1, 0)} if raises else {(0, 0)})


@pytest.mark.parametrize("model", ["sc", "tso", "arm"])
def test_a_wake_up_comes_with_what_was_stored_before(model: str) -> None:
    """Also for who queues behind it, and so is not woken: the queue has a lock."""

    def waits(world: World, got: list[int]) -> None:
        word, queue = world.word("x"), WaitQueue(world)

        @world.actor
        async def cpu0(cpu: Cpu) -> None:
            await cpu.store(word, 1, "x")
            await queue.wake_up(cpu)

        @world.actor
        async def cpu1(cpu: Cpu) -> None:
            await queue.wait_event(cpu, lambda: world.memory.read(word) == 1, reads=[("word", word)])
            got[0] = 1

    assert ends(waits, model) == {(1, 0)}
