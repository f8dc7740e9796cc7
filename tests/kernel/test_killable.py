"""Waits that a fatal signal ends, allocations that fail, looks at a port that wait for nothing."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from actors.runtime.world import Cpu, World
from stopmarker.kernel import Completion, FatalSignal, Object, WaitQueue, try_allocate

from .comparing import compare, seen_by
from .running import messages


@dataclass(frozen=True)
class Ping:
    """A message."""

    number: int = 1


WAITS = ("mutex", "read", "write", "completion")


async def wait_killable(how: str, parts: dict[str, object], cpu: Cpu, signal: FatalSignal) -> bool:
    """One of the waits."""
    method = {
        "mutex": "acquire_killable", "read": "acquire_read_killable", "write": "acquire_write_killable",
        "completion": "wait_killable",
    }[how]  # fmt: skip
    got: bool = await getattr(parts[how], method)(cpu, signal)
    if got and how != "completion":
        release = {"mutex": "release", "read": "release_read", "write": "release_write"}[how]
        await getattr(parts[how], release)(cpu)
    return got


def parts_of(world: World) -> dict[str, object]:
    rwsem = world.rwsem("rw")
    return {"mutex": world.mutex("m"), "read": rwsem, "write": rwsem, "completion": Completion(world)}


@pytest.mark.parametrize("how", WAITS)
def test_a_signal_ends_a_wait_that_nothing_else_would_end(how: str) -> None:
    """One that is looked at only before the wait would leave a deadlock."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        parts, signal, taken = parts_of(world), FatalSignal(world), Completion(world, "taken")

        @world.actor
        async def holder(cpu: Cpu) -> None:
            if how == "mutex":
                await parts["mutex"].acquire(cpu)  # type: ignore[attr-defined]
            elif how != "completion":
                await parts["write"].acquire_write(cpu)  # type: ignore[attr-defined]
            await taken.complete(cpu)
            await taken.wait(cpu)
            await taken.wait(cpu)  # until the waiter has given up
            if how == "mutex":
                await parts["mutex"].release(cpu)  # type: ignore[attr-defined]
            elif how != "completion":
                await parts["write"].release_write(cpu)  # type: ignore[attr-defined]

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await taken.wait(cpu)
            seen["got"] = await wait_killable(how, parts, cpu, signal)
            await taken.complete(cpu)
            await taken.complete(cpu)

        world.add_actor("killer", signal.send)

    found = compare(fill)
    assert found.failing > 0  # the holder may take the first completion itself
    assert {state for state in found.states if state} == {(("got", False),)}


@pytest.mark.parametrize("how", WAITS)
def test_what_need_not_be_waited_for_is_taken_in_spite_of_a_signal(how: str) -> None:
    """A look at the signal before the first try would return without the lock."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        parts, signal = parts_of(world), FatalSignal(world)

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            await signal.send(cpu)
            await parts["completion"].complete(cpu)  # type: ignore[attr-defined]
            seen["got"] = await wait_killable(how, parts, cpu, signal)

    assert compare(fill) == (1, 1, 0, {(("got", True),)})


@pytest.mark.parametrize(("wakes", "states"), [(True, {True, False}), (False, {True, False})])
def test_a_wait_for_an_event_ends_with_a_signal_or_with_the_event(wakes: bool, states: set[bool]) -> None:
    """Without a wake-up the event is seen only if it came before the look; the signal wakes in any case."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        queue, flag, signal = WaitQueue(world, "queue"), world.word("flag"), FatalSignal(world)

        @world.actor
        async def waiter(cpu: Cpu) -> None:
            seen["came"] = await queue.wait_event_killable(
                cpu, lambda: world.memory.read(flag) == 1, signal, reads=[("word", flag)]
            )

        @world.actor
        async def waker(cpu: Cpu) -> None:
            await cpu.store(flag, 1)
            if wakes:
                await queue.wake_up(cpu)

        world.add_actor("killer", signal.send)

    found = compare(fill)
    assert found[2:] == (0, {(("came", state),) for state in states})
    assert found.classes == (11 if wakes else 5)


def test_a_writer_that_is_killed_lets_the_readers_behind_it_go() -> None:
    """Were it to stay in the queue, the second reader would wait for ever: the first one waits for it."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        lock, signal, read = world.rwsem("rw"), FatalSignal(world), Completion(world, "read")

        @world.actor
        async def first(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            await read.wait(cpu)
            await lock.release_read(cpu)

        @world.actor
        async def writer(cpu: Cpu) -> None:
            if await lock.acquire_write_killable(cpu, signal):
                await lock.release_write(cpu)

        @world.actor
        async def second(cpu: Cpu) -> None:
            await lock.acquire_read(cpu)
            await lock.release_read(cpu)
            await read.complete(cpu)

        world.add_actor("killer", signal.send)

    assert compare(fill)[2] == 0


def test_both_ends_of_an_allocation_are_tried_and_only_an_atomic_one_under_a_spin_lock() -> None:
    @seen_by
    def both(world: World, seen: dict[str, object]) -> None:
        @world.actor
        async def probe(cpu: Cpu) -> None:
            made = await try_allocate(cpu, "dev")
            seen["made"] = isinstance(made, Object)

    def under_lock(atomic: bool) -> object:
        def fill(world: World) -> None:
            lock = world.spinlock("m")

            @world.actor
            async def probe(cpu: Cpu) -> None:
                await lock.acquire(cpu)
                await try_allocate(cpu, "dev", atomic=atomic)
                await lock.release(cpu)

        return fill

    assert compare(both) == (2, 2, 0, {(("made", True),), (("made", False),)})
    assert messages(under_lock(False), under_lock(True)) == [  # type: ignore[arg-type]
        "probe may sleep in `kmalloc dev (GFP_KERNEL)` while it holds spin lock m",
        "",
    ]


def test_a_look_at_a_port_does_not_wait_and_takes_the_oldest_message() -> None:
    """A look that races with nobody would see only one of the two answers."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        port = world.port("p", Ping)

        @world.actor
        async def sender(cpu: Cpu) -> None:
            await port.send(Ping(1))
            await port.send(Ping(2))

        @world.actor
        async def looks(cpu: Cpu) -> None:
            found = await port.try_receive(cpu)
            seen["found"] = found.number if found else 0
            seen["empty"] = await port.is_empty(cpu)

    assert compare(fill)[1:] == (6, 0, {
        (("empty", True), ("found", 0)),
        (("empty", False), ("found", 0)),
        (("empty", True), ("found", 1)),
        (("empty", False), ("found", 1)),
    })  # fmt: skip
