"""Actors that share a processor: whom an interrupt stops, whom a spin lock keeps away, and who waits for himself."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.processor import Processor
from actors.runtime.world import Cpu, World
from scenarios.scenario import scenario
from stopmarker.kernel import Completion, IrqAction, IrqLine, Rcu, local_irq_restore, local_irq_save
from tests.explore.searching import search, worlds
from tools.explore.dpor.dpor import Dpor

from .comparing import Build, compare, seen_by
from .running import messages


def line_of(world: World, handler: object, on: Processor | None) -> IrqLine:
    """A line that interrupts once."""
    line = IrqLine(world, "line", IrqAction("device", handler), on=on)  # type: ignore[arg-type]  # an async def
    world.add_actor("device", line.raise_msi)
    return line


def locked_twice(how: str, same: bool) -> Build:
    """A spin lock is taken by a thread and by a handler."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        cpu0, lock = world.processor("CPU0"), world.spinlock("m")

        async def thread(cpu: Cpu) -> None:
            if how == "irqsave":
                await lock.acquire_irqsave(cpu)
                await lock.release_irqrestore(cpu)
            else:
                await lock.acquire(cpu)
                await lock.release(cpu)

        async def handler(cpu: Cpu) -> bool:
            await lock.acquire(cpu)
            await lock.release(cpu)
            return False

        world.add_actor("thread", thread, on=cpu0)
        line_of(world, handler, cpu0 if same else None)

    return fill


@pytest.mark.parametrize(("how", "same", "classes", "failing"), [
    ("plain", True, 3, 1),
    ("plain", False, 2, 0),
    ("irqsave", True, 2, 0),
    ("irqsave", False, 2, 0),
])  # fmt: skip
def test_a_lock_that_a_handler_takes_needs_irqsave_on_the_same_processor(
    how: str, same: bool, classes: int, failing: int
) -> None:
    """A handler that lets the thread go on would hide the deadlock; one that also interrupts other processors would
    invent it."""
    assert compare(locked_twice(how, same))[1:3] == (classes, failing)


def test_the_deadlock_of_a_handler_with_whom_it_interrupts_is_named() -> None:
    def fill(world: World) -> None:
        cpu0, lock = world.processor("CPU0"), world.spinlock("m")

        async def thread(cpu: Cpu) -> None:
            await lock.acquire(cpu)
            await line.raise_msi(cpu)
            await cpu.access("go on")
            await lock.release(cpu)

        async def handler(cpu: Cpu) -> bool:
            await lock.acquire(cpu)
            return False

        line = IrqLine(world, "line", IrqAction("device", handler), on=cpu0)
        world.add_actor("thread", thread, on=cpu0)

    assert messages(fill) == [
        "line irq spins since step 4 for lock m, held by thread since step 0; thread waits since step 2 for processor "
        "CPU0, where line irq handles an interrupt"
    ]


def test_a_handler_runs_to_its_end_before_its_processor_goes_on() -> None:
    """Were the thread not stopped, the handler would see old and then new; on another processor it does."""

    def reading(same: bool) -> Build:
        @seen_by
        def fill(world: World, seen: dict[str, object]) -> None:
            cpu0, x, y = world.processor("CPU0"), world.word("x"), world.word("y")

            async def thread(cpu: Cpu) -> None:
                await cpu.store(x, 1)
                await cpu.store(y, 1)

            async def handler(cpu: Cpu) -> bool:
                seen["x, y"] = await cpu.load(x), await cpu.load(y)
                return False

            world.add_actor("thread", thread, on=cpu0)
            line_of(world, handler, cpu0 if same else None)

        return fill

    def states(*pairs: tuple[int, int]) -> set[object]:
        return {(("x, y", pair),) for pair in pairs}

    assert compare(reading(True))[1:] == (3, 0, states((0, 0), (1, 0), (1, 1)))
    assert compare(reading(False))[1:] == (4, 0, states((0, 0), (1, 0), (0, 1), (1, 1)))


@pytest.mark.parametrize("off", ["nothing", "irq", "nested", "line"])
def test_no_handler_begins_while_interrupts_are_off(off: str) -> None:
    """Also not behind the inner end of two nested sections. What came meanwhile is handled later, and is not lost."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        cpu0, x = world.processor("CPU0"), world.word("x")

        async def thread(cpu: Cpu) -> None:
            if off == "line":
                await line.disable_nosync(cpu)
            for _ in range({"irq": 1, "nested": 2}.get(off, 0)):
                await local_irq_save(cpu)
            await cpu.store(x, 1)
            if off == "nested":
                await local_irq_restore(cpu)
            await cpu.store(x, 0)
            if off in ("irq", "nested"):
                await local_irq_restore(cpu)
            if off == "line":
                await line.enable(cpu)

        async def handler(cpu: Cpu) -> bool:
            seen["x"] = await cpu.load(x)
            return False

        world.add_actor("thread", thread, on=cpu0)
        line = line_of(world, handler, cpu0)

    both, zero = {(("x", 0),), (("x", 1),)}, {(("x", 0),)}
    assert compare(fill)[1:] == {
        "nothing": (3, 0, both), "irq": (2, 0, zero), "nested": (2, 0, zero), "line": (4, 0, zero),
    }[off]  # fmt: skip


@pytest.mark.parametrize(("same", "states"), [(True, {0, 2}), (False, {0, 1, 2})])
def test_a_spin_lock_keeps_other_threads_from_its_processor(same: bool, states: set[int]) -> None:
    """Without preempt_disable the other thread would see what lies between."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        cpu0, lock, x = world.processor("CPU0"), world.spinlock("m"), world.word("x")

        async def holder(cpu: Cpu) -> None:
            await lock.acquire(cpu)
            await cpu.store(x, 1)
            await cpu.store(x, 2)
            await lock.release(cpu)

        async def reader(cpu: Cpu) -> None:
            seen["x"] = await cpu.load(x)

        world.add_actor("holder", holder, on=cpu0)
        world.add_actor("reader", reader, on=cpu0 if same else None)

    assert compare(fill)[1:] == (len(states), 0, {(("x", value),) for value in states})


@pytest.mark.parametrize(("nested", "failing"), [("handler", 0), ("thread", 1)])
def test_only_a_reader_in_interrupt_context_passes_a_waiting_writer(nested: str, failing: int) -> None:
    """Were it to wait, the handler would wait for the writer, the writer for the reader that it interrupts."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        cpu0, lock = world.processor("CPU0"), world.rwlock("tasklist_lock")

        async def read(cpu: Cpu) -> bool:
            await lock.acquire_read(cpu)
            await lock.release_read(cpu)
            return False

        async def reader(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            if nested == "thread":
                await read(cpu)
            await lock.release_read(cpu)

        async def writer(cpu: Cpu) -> None:
            await local_irq_save(cpu)
            await lock.acquire_write(cpu)
            await lock.release_write(cpu)
            await local_irq_restore(cpu)

        world.add_actor("reader", reader, on=cpu0)
        world.add_actor("writer", writer)
        if nested == "handler":
            line_of(world, read, cpu0)

    assert compare(fill)[2] == failing


def test_what_a_handler_or_a_thread_leaves_behind_is_told() -> None:
    def leaving(what: str, threaded: bool) -> Build:
        def fill(world: World) -> None:
            rcu, lock, rw = Rcu(world), world.spinlock("m"), world.rwlock("rw")

            async def leave(cpu: Cpu) -> None:
                take = {"rcu": rcu.read_lock, "spinlock": lock.acquire, "irqs": local_irq_save, "rw": rw.acquire_read}
                await take[what](cpu)

            async def handler(cpu: Cpu) -> bool:
                if not threaded:
                    await leave(cpu)
                return threaded

            line = IrqLine(world, "line", IrqAction("device", handler, leave if threaded else None))
            world.add_actor("raiser", line.raise_msi)

        return fill  # type: ignore[return-value]  # nothing to tell of the end

    assert messages(
        leaving("spinlock", False), leaving("rcu", False), leaving("irqs", False), leaving("rw", True),
        leaving("rcu", True),
    ) == [
        "handler device ends and line irq still holds lock m",
        "handler device ends and line irq still holds rcu_read_lock",
        "handler device ends and line irq still holds interrupts off",
        "the thread of device ends and irq/line-device still holds rwlock rw",
        "the thread of device ends and irq/line-device still holds rcu_read_lock",
    ]  # fmt: skip


def test_what_interrupts_off_forbid_is_told() -> None:
    def sleeps(world: World) -> None:
        lock = world.mutex("m")

        @world.actor
        async def thread(cpu: Cpu) -> None:
            await local_irq_save(cpu)
            await lock.acquire(cpu)

    def stays(world: World) -> None:
        world.add_actor("thread", local_irq_save)

    def leaves(world: World) -> None:
        world.add_actor("thread", local_irq_restore)

    def sleeps_under_rwlock(world: World) -> None:
        lock, done = world.rwlock("rw"), Completion(world, "done")

        @world.actor
        async def thread(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            await done.wait(cpu)

    assert messages(sleeps, stays, leaves, sleeps_under_rwlock) == [
        "thread may sleep in `lock m` while it has interrupts off",
        "thread ends and still holds interrupts off",
        "thread restores interrupts, which it has not switched off",
        "thread may sleep in `wait_for_completion done` while it holds rwlock rw",
    ]


@pytest.mark.parametrize(("memory", "same", "pairs"), [
    ("tso", True, {(0, 0), (0, 1), (1, 1)}),
    ("tso", False, {(0, 0), (0, 1), (1, 1)}),
    ("arm", True, {(0, 0), (0, 1), (1, 1)}),
    ("arm", False, {(0, 0), (0, 1), (1, 0), (1, 1)}),
])  # fmt: skip
def test_a_handler_sees_the_stores_of_its_own_processor_in_order(
    memory: str, same: bool, pairs: set[tuple[int, int]]
) -> None:
    """With views of its own it would miss a store that its processor has made."""
    found = set()

    @scenario()
    def fill(world: World) -> None:
        cpu0, x, y, seen = world.processor("CPU0"), world.word("x"), world.word("y"), [(0, 0)]

        async def thread(cpu: Cpu) -> None:
            await cpu.store(x, 1)
            await cpu.store(y, 1)

        async def handler(cpu: Cpu) -> bool:
            later = await cpu.load(y)
            await cpu.rmb()
            seen.append((later, await cpu.load(x)))
            return False

        world.add_actor("thread", thread, on=cpu0)
        line_of(world, handler, cpu0 if same else None)
        world.eventually("kept", lambda: found.add(seen[-1]))

    report = search(worlds(fill, memory=memory), Dpor())
    assert report.complete and not report.found, report.found
    assert found == pairs


def test_two_threads_of_one_processor_are_no_barrier_to_another() -> None:
    """What one thread stores and the next one stores are seen in either order on Armv8, as if one had stored both."""
    found = set()

    @scenario()
    def fill(world: World) -> None:
        cpu0, x, y, seen = world.processor("CPU0"), world.word("x"), world.word("y"), [(0, 0)]

        async def first(cpu: Cpu) -> None:
            await cpu.store(x, 1)

        async def second(cpu: Cpu) -> None:
            if await cpu.load(x):
                await cpu.store(y, 1)

        @world.actor
        async def other(cpu: Cpu) -> None:
            later = await cpu.load(y)
            await cpu.rmb()
            seen.append((later, await cpu.load(x)))

        world.add_actor("first", first, on=cpu0)
        world.add_actor("second", second, on=cpu0)
        world.eventually("kept", lambda: found.add(seen[-1]))

    report = search(worlds(fill, memory="arm"), Dpor())
    assert report.complete and not report.found, report.found
    assert found == {(0, 0), (0, 1), (1, 0), (1, 1)}
