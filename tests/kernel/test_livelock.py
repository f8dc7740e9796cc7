"""Actors that hand something to and fro for ever are a circle, whatever they hand it over with."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.runtime.runs.schedule import FAIR
from actors.runtime.runs.scheduler import Replay
from actors.runtime.world import Cpu, World
from stopmarker.kernel import Completion, IrqAction, IrqLine, RefCount, Srcu, WaitQueue, WorkqueueStruct, WorkStruct
from tests.running import run


def completions(world: World) -> None:
    ping, pong = Completion(world, "ping"), Completion(world, "pong")

    @world.actor
    async def first(cpu: Cpu) -> None:
        while True:
            await ping.complete(cpu)
            await pong.wait(cpu)

    @world.actor
    async def second(cpu: Cpu) -> None:
        while True:
            await ping.wait(cpu)
            await pong.complete(cpu)


def works(world: World) -> None:
    queue = WorkqueueStruct(world)

    async def again(cpu: Cpu) -> None:
        await queue.queue(cpu, work)

    work = WorkStruct("work", again)

    @world.actor
    async def owner(cpu: Cpu) -> None:
        await queue.queue(cpu, work)
        while True:
            await queue.flush(cpu)


def interrupts(world: World) -> None:
    async def handler(cpu: Cpu) -> bool:
        await line.raise_msi(cpu)
        return True

    async def thread(cpu: Cpu) -> None:
        await cpu.access("nothing")

    line = IrqLine(world, "line", IrqAction("device", handler, thread))

    @world.actor
    async def driver(cpu: Cpu) -> None:
        await line.raise_msi(cpu)
        while True:
            await line.disable_nosync(cpu)
            await line.enable(cpu)


def readers(world: World) -> None:
    srcu, count = Srcu(world), RefCount(world)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        while True:
            await srcu.read_lock(cpu)
            await count.get(cpu)
            await count.put(cpu)
            await srcu.read_unlock(cpu)

    @world.actor
    async def updater(cpu: Cpu) -> None:
        while True:
            await srcu.synchronize(cpu)


def sleepers(world: World) -> None:
    queue = WaitQueue(world)

    @world.actor
    async def waiter(cpu: Cpu) -> None:
        await queue.wait_event(cpu, lambda: False, reads=["never"])

    @world.actor
    async def waker(cpu: Cpu) -> None:
        while True:
            await queue.wake_up(cpu)


@pytest.mark.parametrize("build", [completions, works, interrupts, readers, sleepers])
def test_a_circle_of_primitives_is_found(build: Callable[[World], None]) -> None:
    """A counter that only grows, in what they are compared by, would hide it behind the step bound."""

    def fill(world: World) -> None:
        build(world)
        world.add_actor("bystander", lambda cpu: cpu.access("so that there is a choice"))

    found = run(fill, Replay((FAIR,))).finding
    assert found is not None
    assert found.oracle == "no-livelock"
