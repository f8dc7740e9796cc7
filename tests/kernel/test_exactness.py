"""The footprints of each primitive are exact: on random programs a search finds each class of interleavings once, and
every final state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import pytest

from actors.runtime.world import Cpu, World
from stopmarker.kernel import (
    Completion,
    FatalSignal,
    IrqAction,
    IrqLine,
    Processor,
    Rcu,
    RefCount,
    Srcu,
    WaitQueue,
    WorkqueueStruct,
    WorkStruct,
    local_irq_restore,
    local_irq_save,
)
from stopmarker.worlds import TimeOut
from tests.comparison.enumeration import TooMany

from .comparing import Compared, State, compare
from .programs import Kit, Operation, programs


@dataclass(frozen=True)
class Ping:
    """A message."""

    number: int = 1


def completion(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    done = Completion(world, "done")
    operations: list[Operation] = [
        done.complete,
        done.wait,
        done.wait_timeout,
        done.complete_all,
        done.reinit,
        done.done,
        done.try_wait,
    ]
    return [*operations, done.complete, done.wait], done.state


def timed(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    """Completions and wait queues whose time is over when nothing else can move, or after some looks."""
    done, queue, word = Completion(world, "done"), WaitQueue(world, "queue"), world.word("word")

    def wait(time_out: TimeOut, exclusive: bool = False) -> Operation:
        async def operation(cpu: Cpu) -> bool:
            until, reads = lambda: world.memory.read(word) > 1, [("word", word)]
            return await queue.wait_event_timeout(cpu, until, reads=reads, time_out=time_out, exclusive=exclusive)

        return operation

    async def more(cpu: Cpu) -> int:
        return await cpu.rmw(word, lambda value: value + 1)

    late, soon = partial(done.wait_timeout, time_out="last"), partial(done.wait_timeout, time_out=2)
    operations: list[Operation] = [done.complete, late, soon, done.reinit, done.complete_all, late, done.wait]
    operations += [wait("last"), wait("last", exclusive=True), wait(2), more, queue.wake_up, more, queue.wake_up]
    return operations, lambda: (done.state(), queue.state())


def refcount(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    count = RefCount(world, "count", 2)
    return [count.get, count.put, count.put, count.get_unless_zero, count.read], count.state


def wait_queue(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    queue, word = WaitQueue(world, "queue"), world.word("word")

    async def exclusive(cpu: Cpu) -> None:
        await queue.wait_event(cpu, lambda: world.memory.read(word) > 0, reads=[("word", word)], exclusive=True)

    async def wait(cpu: Cpu) -> None:
        await queue.wait_event(cpu, lambda: world.memory.read(word) > 0, reads=[("word", word)])

    async def more(cpu: Cpu) -> int:
        return await cpu.rmw(word, lambda value: value + 1)

    return [wait, more, queue.wake_up, queue.wake_up_all, exclusive, wait, more, queue.wake_up], queue.state


def rcu(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    return sections(Rcu(world), world)


def srcu(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    return sections(Srcu(world), world)


def sections(of: Rcu, world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    word = world.word("word")

    async def read(cpu: Cpu) -> int:
        await of.read_lock(cpu)
        seen = await cpu.load(word)
        await of.read_unlock(cpu)
        return seen

    async def call(cpu: Cpu) -> None:
        await of.call(cpu, lambda softirq: softirq.store(word, 1))

    return [read, of.synchronize, call, of.barrier, read, of.read_lock], of.state


def locks(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    mutex, other = world.mutex("m"), world.mutex("other")

    async def hold(cpu: Cpu) -> None:
        await mutex.acquire(cpu)
        await mutex.release(cpu)

    async def try_to_hold(cpu: Cpu) -> bool:
        if await mutex.try_acquire(cpu):
            await mutex.release(cpu)
            return True
        return False

    async def hold_both(cpu: Cpu) -> bool:
        await other.acquire(cpu)
        got = await try_to_hold(cpu)
        await other.release(cpu)
        return got

    return [hold, try_to_hold, hold_both, mutex.acquire], lambda: ()


def rwlock(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    lock = world.rwlock("rw")

    async def read(cpu: Cpu) -> None:
        await lock.acquire_read(cpu)
        await lock.release_read(cpu)

    async def write(cpu: Cpu) -> None:
        await lock.acquire_write(cpu)
        await lock.release_write(cpu)

    async def try_read(cpu: Cpu) -> bool:
        if await lock.try_acquire_read(cpu):
            await lock.release_read(cpu)
            return True
        return False

    async def try_write(cpu: Cpu) -> bool:
        if await lock.try_acquire_write(cpu):
            await lock.release_write(cpu)
            return True
        return False

    return [read, write, try_read, try_write, lock.acquire_read], lambda: ()


def works(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    queue, word, told = WorkqueueStruct(world, "wq"), world.word("word"), Completion(world, "told")

    async def count(cpu: Cpu) -> None:
        await cpu.rmw(word, lambda value: value + 1)

    async def again(cpu: Cpu) -> None:
        if await cpu.rmw(word, lambda value: value + 1) == 0:
            await queue.queue(cpu, second)

    first, second = WorkStruct("first", count), WorkStruct("second", again)

    async def load(cpu: Cpu) -> int:
        return await cpu.load(word)

    async def disabled(cpu: Cpu) -> tuple[bool, bool]:
        return await queue.disable(cpu, first), await queue.enable(cpu, first)

    return [
        lambda cpu: queue.queue(cpu, first),
        lambda cpu: queue.queue(cpu, second),
        lambda cpu: queue.queue(cpu, first),
        lambda cpu: queue.queue_delayed(cpu, first),
        lambda cpu: queue.cancel_sync(cpu, first),
        lambda cpu: queue.cancel_sync(cpu, second),
        lambda cpu: queue.flush_work(cpu, second),
        queue.flush,
        load,
        disabled,
        lambda cpu: queue.disable(cpu, second),
        told.complete,
    ], queue.state


def interrupts(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    word = world.word("word")

    async def handled(cpu: Cpu) -> bool:
        return await cpu.rmw(word, lambda value: value + 1) > 0

    async def thread(cpu: Cpu) -> None:
        await cpu.load(word)

    first, second = IrqAction("first", handled, thread), IrqAction("second", handled)
    line = IrqLine(world, "line", first, second)

    async def masked(cpu: Cpu) -> int:
        await line.disable(cpu)
        seen = await cpu.load(word)
        await line.enable(cpu)
        return seen

    return [line.raise_msi, line.synchronize, lambda cpu: line.free(cpu, first), masked, line.raise_msi], line.state


def killable(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    mutex, rwsem, signal = world.mutex("m"), world.rwsem("rw"), FatalSignal(world)

    async def hold(cpu: Cpu) -> None:
        await mutex.acquire(cpu)
        await mutex.release(cpu)

    async def hold_killable(cpu: Cpu) -> bool:
        if await mutex.acquire_killable(cpu, signal):
            await mutex.release(cpu)
            return True
        return False

    async def read(cpu: Cpu) -> bool:
        if await rwsem.acquire_read_killable(cpu, signal):
            await rwsem.release_read(cpu)
            return True
        return False

    async def write(cpu: Cpu) -> bool:
        if await rwsem.acquire_write_killable(cpu, signal):
            await rwsem.release_write(cpu)
            return True
        return False

    return [hold, hold_killable, signal.send, read, write, signal.pending], lambda: ()


def killable_events(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    queue, word, signal = WaitQueue(world, "queue"), world.word("word"), FatalSignal(world)

    async def killable(cpu: Cpu) -> bool:
        return await queue.wait_event_killable(cpu, lambda: world.memory.read(word) > 0, signal, reads=[("word", word)])

    async def more(cpu: Cpu) -> int:
        return await cpu.rmw(word, lambda value: value + 1)

    return [killable, more, queue.wake_up, signal.send, killable], queue.state


def looks(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    port, done, signal = world.port("p", Ping), Completion(world, "done"), FatalSignal(world)

    async def send(cpu: Cpu) -> None:
        await port.send(Ping())

    async def wait(cpu: Cpu) -> bool:
        return await done.wait_killable(cpu, signal)

    completed: list[Operation] = [done.complete, wait, signal.send, done.wait]
    return [send, port.receive, port.try_receive, port.is_empty, send, *completed], lambda: (len(port.waiting()),)


def drained(world: World) -> tuple[Sequence[Operation], Callable[[], State]]:
    queue, word = WorkqueueStruct(world, "wq"), world.word("word")

    async def count(cpu: Cpu) -> None:
        await cpu.rmw(word, lambda value: value + 1)

    async def chain(cpu: Cpu) -> None:
        if await cpu.rmw(word, lambda value: value + 1) == 0:
            await queue.queue(cpu, second)

    first, second = WorkStruct("first", chain), WorkStruct("second", count)

    async def load(cpu: Cpu) -> int:
        return await cpu.load(word)

    return [
        lambda cpu: queue.queue(cpu, first),
        queue.drain,
        lambda cpu: queue.queue(cpu, second),
        queue.drain,
        load,
        lambda cpu: queue.queue_delayed(cpu, first),
        lambda cpu: queue.cancel_sync(cpu, first),
    ], queue.state


def processor(world: World) -> tuple[Sequence[Operation], Callable[[], State], Processor]:
    return (*on_processor(world, cpu0 := world.processor("CPU0")), cpu0)


def processors(world: World) -> tuple[Sequence[Operation], Callable[[], State], Processor, None]:
    return (*on_processor(world, cpu0 := world.processor("CPU0")), cpu0, None)


def on_processor(world: World, cpu0: Processor) -> tuple[Sequence[Operation], Callable[[], State]]:
    lock, word, done = world.spinlock("m"), world.word("word"), Completion(world, "done")

    async def add(cpu: Cpu) -> int:
        before = await cpu.load(word)
        await cpu.store(word, before + 1)
        return before

    async def handler(cpu: Cpu) -> bool:
        await locked(cpu)
        return False

    async def locked(cpu: Cpu) -> int:
        await lock.acquire(cpu)
        before = await add(cpu)
        await lock.release(cpu)
        return before

    async def masked(cpu: Cpu) -> int:
        await local_irq_save(cpu)
        before = await add(cpu)
        await local_irq_restore(cpu)
        return before

    async def tried(cpu: Cpu) -> bool:
        if await lock.try_acquire(cpu):
            await lock.release(cpu)
            return True
        return False

    line = IrqLine(world, "line", IrqAction("device", handler), on=cpu0)
    operations = [add, locked, masked, tried, line.raise_msi, done.wait, done.complete]
    return operations, lambda: (world.memory.read(word),)


KITS: dict[Kit, tuple[int, int, int, int]] = {
    completion: (24, 1184, 679, 94),
    refcount: (23, 1469, 953, 392),
    wait_queue: (22, 1050, 155, 68),
    timed: (25, 743, 164, 11),
    rcu: (12, 848, 42, 29),
    srcu: (12, 849, 42, 29),
    works: (17, 1384, 308, 0),
    interrupts: (5, 84, 21, 5),
    locks: (25, 929, 251, 155),
    rwlock: (24, 1152, 340, 108),
    killable: (23, 932, 125, 0),
    killable_events: (22, 1773, 154, 12),
    looks: (24, 854, 192, 69),
    drained: (11, 1361, 148, 24),
    processor: (23, 734, 242, 54),
    processors: (22, 1981, 174, 47),
}
"""Of each the programs with at most MOST interleavings, their interleavings, classes and failing classes."""
SHORT = (completion, refcount, looks)
"""Whose operations are a step each."""
SEEDS = 25
MOST = 500


@pytest.mark.parametrize("kit", KITS)
def test_a_search_finds_what_all_interleavings_show(kit: Kit) -> None:
    seen = list[Compared]()
    for seed in range(SEEDS):
        with suppress(TooMany):
            seen.append(compare(programs(kit, seed, 2 + seed % 2, 4 if kit in SHORT else 2), MOST))
    totals = [sum(getattr(each, what) for each in seen) for what in ("interleavings", "classes", "failing")]
    assert (len(seen), *totals) == KITS[kit]
