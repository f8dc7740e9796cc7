"""What each primitive does, by the number of classes and all that they end in; each test names what it would find.

`compare` also holds each against all interleavings.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.runtime.world import Cpu, World
from stopmarker.kernel import Completion, LockOrder, NoWaitUnderSpinLock, Rcu, RefCount, Srcu, WaitQueue

from .comparing import Build, State, compare, seen_by
from .running import finding, messages


def test_a_completion_is_a_count_and_no_flag() -> None:
    """Two are completed before anybody waits: a flag would let one of two go."""

    @seen_by
    def two_each(world: World, seen: dict[str, object]) -> None:
        done = Completion(world, "done")

        async def complete(cpu: Cpu) -> None:
            await done.complete(cpu)

        async def wait(cpu: Cpu) -> None:
            await done.wait(cpu)
            seen[cpu.name] = True

        for number in range(2):
            world.add_actor(f"complete {number}", complete)
            world.add_actor(f"wait {number}", wait)

    assert compare(two_each) == (8, 4, 0, {(("wait 0", True), ("wait 1", True))})


def test_a_completion_is_lost_between_two_waiters_unless_all_are_completed() -> None:
    """A waiter takes the one that is there; `complete_all` is used up by none, also not by who comes later."""

    def two_wait(how: str) -> Build:
        def fill(world: World) -> Callable[[], State]:
            done = Completion(world, "done")

            async def wait(cpu: Cpu) -> None:
                await done.wait(cpu)

            world.add_actor("completer", lambda cpu: getattr(done, how)(cpu))
            world.add_actor("first", wait)
            world.add_actor("second", wait)
            return done.state

        return fill

    assert compare(two_wait("complete"))[:3] == (2, 2, 2)
    assert compare(two_wait("complete_all"))[:3] == (2, 2, 0)


def test_a_wait_with_a_time_out_is_told_which_it_was_and_reinit_forgets() -> None:
    """An earlier completion must not count behind `reinit`; nor may a time-out take one."""

    @seen_by
    def late(world: World, seen: dict[str, object]) -> None:
        done = Completion(world, "done")

        @world.actor
        async def driver(cpu: Cpu) -> None:
            seen["first"] = await done.wait_timeout(cpu)
            await done.reinit(cpu)
            seen["second"] = await done.wait_timeout(cpu)

        world.add_actor("irq", done.complete)

    assert compare(late) == (4, 4, 0, {
        (("first", True), ("second", False)),
        (("first", False), ("second", False)),
        (("first", False), ("second", True)),
    })  # fmt: skip


def test_what_was_completed_before_reinit_is_forgotten() -> None:
    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        done = Completion(world, "done")

        @world.actor
        async def driver(cpu: Cpu) -> None:
            await done.complete(cpu)
            await done.complete_all(cpu)
            await done.reinit(cpu)
            seen["done"] = await done.done(cpu), await done.try_wait(cpu)

    assert compare(fill) == (1, 1, 0, {(("done", (False, False)),)})


@pytest.mark.parametrize(("wakes", "counts"), [(True, (6, 3, 0)), (False, (3, 2, 1))])
def test_a_condition_that_becomes_true_wakes_nobody(wakes: bool, counts: tuple[int, int, int]) -> None:
    """A wait that looks again whenever its words change would hide the missing wake_up."""

    def fill(world: World) -> Callable[[], State]:
        queue, flag = WaitQueue(world, "queue"), world.word("flag")

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await queue.wait_event(cpu, lambda: world.memory.read(flag) == 1, reads=[("word", flag)])

        @world.actor
        async def waker(cpu: Cpu) -> None:
            await cpu.store(flag, 1)
            if wakes:
                await queue.wake_up(cpu)

        return queue.state

    assert compare(fill)[:3] == counts


def test_to_wake_before_the_condition_is_true_is_too_early() -> None:
    """The waiter is woken, looks, and sleeps for ever: the queue must not look for it."""

    def fill(world: World) -> Callable[[], State]:
        queue, flag = WaitQueue(world, "queue"), world.word("flag")

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await queue.wait_event(cpu, lambda: world.memory.read(flag) == 1, reads=[("word", flag)])

        @world.actor
        async def waker(cpu: Cpu) -> None:
            await queue.wake_up(cpu)
            await cpu.store(flag, 1)

        return queue.state

    assert compare(fill)[1:3] == (5, 2)


def test_an_exclusive_wake_up_may_end_with_who_no_longer_needs_it() -> None:
    """The first needs not sleep, but has not left the queue: the second sleeps for ever if it came behind it. To leave
    with the look at the condition would hide it."""

    def fill(world: World) -> Callable[[], State]:
        queue, flag = WaitQueue(world, "queue"), world.word("flag")

        @world.actor
        async def first(cpu: Cpu) -> None:
            await queue.wait_event(cpu, lambda: True, reads=[], exclusive=True)

        @world.actor
        async def second(cpu: Cpu) -> None:
            await queue.wait_event(cpu, lambda: world.memory.read(flag) == 1, reads=[("word", flag)], exclusive=True)

        @world.actor
        async def waker(cpu: Cpu) -> None:
            await cpu.store(flag, 1)
            await queue.wake_up(cpu)

        return queue.state

    assert compare(fill)[1:3] == (43, 1)


def test_the_last_reference_and_a_get_unless_zero_are_one_step_each() -> None:
    """As a look and then a get it would take a reference of a dead object."""

    @seen_by
    def last(world: World, seen: dict[str, object]) -> None:
        count = RefCount(world, "count")

        @world.actor
        async def owner(cpu: Cpu) -> None:
            seen["freed"] = await count.put(cpu)

        @world.actor
        async def finder(cpu: Cpu) -> None:
            seen["found"] = await count.get_unless_zero(cpu)
            if seen["found"]:
                seen["freed by finder"] = await count.put(cpu)

    assert compare(last) == (3, 3, 0, {
        (("found", False), ("freed", True)),
        (("found", True), ("freed", False), ("freed by finder", True)),
        (("found", True), ("freed", True), ("freed by finder", False)),
    })  # fmt: skip


def test_gets_do_not_race_and_a_get_at_zero_is_use_after_free() -> None:
    """Three gets have one class; a count that starts again at zero would hide the dead object."""

    def gets(value: int) -> Build:
        def fill(world: World) -> Callable[[], State]:
            count = RefCount(world, "count", value)
            for number in range(3):
                world.add_actor(f"actor {number}", count.get)
            return count.state

        return fill

    assert compare(gets(1))[:3] == (6, 1, 0)
    assert compare(gets(0))[:3] == (6, 1, 1)
    assert finding(gets(0)) == "actor 0 takes a reference of count, which has none left: use after free"
    assert finding(gets(2**31 - 2)) == "actor 1 takes a reference of count, which saturates: it leaks from now on"


@pytest.mark.parametrize("kind", [Rcu, Srcu])
def test_a_grace_period_waits_for_readers_before_it_and_for_no_later_one(kind: type[Rcu]) -> None:
    """One that ended at once would free under a reader; one that waits for all readers shows one end less."""

    @seen_by
    def period(world: World, seen: dict[str, object]) -> None:
        of, old, later = kind(world), world.word("old", 1), world.word("later")

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await of.read_lock(cpu)
            seen["reader"] = await cpu.load(old), await cpu.load(later), await cpu.load(later)
            await of.read_unlock(cpu)

        @world.actor
        async def updater(cpu: Cpu) -> None:
            await cpu.store(old, 0)
            await of.synchronize(cpu)
            await cpu.store(later, 1)

    seen = {(1, 0, 0), (0, 0, 0), (0, 0, 1), (0, 1, 1)}
    assert compare(period)[1:] == (5, 0, {(("reader", each),) for each in seen})


def test_readers_do_not_race_and_nested_sections_are_one() -> None:
    def fill(world: World) -> Callable[[], State]:
        rcu = Rcu(world)

        async def reader(cpu: Cpu) -> None:
            await rcu.read_lock(cpu)
            await rcu.read_lock(cpu)
            await rcu.read_unlock(cpu)
            await rcu.read_unlock(cpu)

        for number in range(2):
            world.add_actor(f"reader {number}", reader)
            world.add_actor(f"updater {number}", rcu.synchronize)
        return rcu.state

    assert compare(fill)[1:3] == (14, 0)


def test_what_rcu_forbids_is_told() -> None:
    def sleeps(world: World) -> None:
        rcu = Rcu(world)

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await rcu.read_lock(cpu)
            await rcu.synchronize(cpu)

    def stays(world: World) -> None:
        rcu = Rcu(world)
        world.add_actor("reader", rcu.read_lock)

    def leaves(world: World) -> None:
        rcu = Rcu(world)
        world.add_actor("reader", rcu.read_unlock)

    def waits_for_itself(world: World) -> None:
        srcu = Srcu(world)

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await srcu.read_lock(cpu)
            await srcu.synchronize(cpu)

    assert messages(sleeps, stays, leaves, waits_for_itself) == [
        "reader may sleep in `synchronize_rcu` while it holds rcu_read_lock",
        "reader ends and still holds rcu_read_lock",
        "reader calls rcu_read_unlock outside of a read-side section",
        "reader waits since step 2 for the end of srcu_read_lock of reader",
    ]


def test_a_trylock_is_decided_by_who_comes_first() -> None:
    """Were it independent of the release, one of the two answers would be missed."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        lock = world.mutex("m")

        @world.actor
        async def holder(cpu: Cpu) -> None:
            await lock.acquire(cpu)
            await lock.release(cpu)

        @world.actor
        async def tries(cpu: Cpu) -> None:
            seen["got"] = await lock.try_acquire(cpu)
            if seen["got"]:
                await lock.release(cpu)

    assert compare(fill) == (3, 3, 0, {(("got", True),), (("got", False),)})


def test_read_trylocks_share_and_fail_while_a_writer_waits() -> None:
    """C25: that one which waits keeps new readers out is what makes a nested read lock deadlock, and a trylock fail."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        lock = world.rwlock("rw")

        @world.actor
        async def reader(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            seen["second"] = await lock.try_acquire_read(cpu)
            if seen["second"]:
                await lock.release_read(cpu)
            await lock.release_read(cpu)

        @world.actor
        async def writer(cpu: Cpu) -> None:
            await lock.acquire_write(cpu)
            await lock.release_write(cpu)

    assert compare(fill)[1:] == (5, 0, {(("second", True),), (("second", False),)})


def test_what_an_actor_still_holds_when_it_ends_is_told() -> None:
    def holds(kind: str, how: str) -> Callable[[World], None]:
        def fill(world: World) -> None:
            lock = getattr(world, kind)("m")

            async def actor(cpu: Cpu) -> None:
                await getattr(lock, how)(cpu)

            world.add_actor("a", actor)

        return fill

    def waits(world: World) -> None:
        lock = world.mutex("m")
        world.add_actor("a", lock.acquire)
        world.add_actor("b", lock.acquire)

    assert messages(
        holds("mutex", "acquire"),
        holds("spinlock", "try_acquire"),
        holds("rwlock", "acquire_read"),
        holds("rwlock", "try_acquire_write"),
        waits,
    ) == [
        "a ends and still holds lock m",
        "a ends and still holds lock m",
        "a ends and still holds rwlock m",
        "a ends and still holds rwlock m",
        "b waits since step 0 for lock m, held by a since step 0; a has ended and still holds lock m",
    ]


@pytest.mark.parametrize(("how", "message"), [
    ("both", "a takes lock n under lock m; b takes lock m under lock n"),
    ("trylock", ""),
    ("same", ""),
])  # fmt: skip
def test_a_circle_of_lock_orders_is_told_on_request_where_nothing_deadlocks(how: str, message: str) -> None:
    """The second actor begins when the first is done, so that no run deadlocks."""

    def fill(world: World) -> None:
        m, n, done = world.mutex("m"), world.mutex("n"), Completion(world, "done")
        world.check(LockOrder(world))

        @world.actor
        async def a(cpu: Cpu) -> None:
            await m.acquire(cpu)
            await n.acquire(cpu)
            await n.release(cpu)
            await m.release(cpu)
            await done.complete(cpu)

        @world.actor
        async def b(cpu: Cpu) -> None:
            await done.wait(cpu)
            first, second = (m, n) if how == "same" else (n, m)
            await first.acquire(cpu)
            await (second.try_acquire(cpu) if how == "trylock" else second.acquire(cpu))
            await second.release(cpu)
            await first.release(cpu)

    assert messages(fill) == [message]


@pytest.mark.parametrize(("spins", "message"), [
    (True, "cpu waits for `CMDQ empty` while it holds spin lock m"),
    (False, ""),
])  # fmt: skip
def test_to_wait_for_hardware_under_a_spin_lock_is_told_on_request(spins: bool, message: str) -> None:
    def fill(world: World) -> None:
        lock, prod = world.spinlock("m") if spins else world.mutex("m"), world.word("prod")
        world.check(NoWaitUnderSpinLock(world))

        @world.actor
        async def cpu(cpu: Cpu) -> None:
            await lock.acquire(cpu)
            await cpu.poll(prod, lambda value: value == 0, "CMDQ empty", sleeps=False)
            await lock.release(cpu)

    assert messages(fill) == [message]


def test_one_atomic_step_looks_and_acts() -> None:
    """As two steps, both would take the last credit."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        credits = world.word("credits", 1)

        def take() -> bool:
            left = world.memory.read(credits)
            if left:
                world.memory.write(credits, left - 1)
            return left > 0

        async def actor(cpu: Cpu) -> None:
            seen[cpu.name] = await cpu.atomically("take a credit", take, writes=[credits])

        world.add_actor("a", actor)
        world.add_actor("b", actor)

    assert compare(fill) == (2, 2, 0, {(("a", True), ("b", False)), (("a", False), ("b", True))})
