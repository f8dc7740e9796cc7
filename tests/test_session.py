"""What outlives a run: nothing of it reaches the next one, and nothing of a world stays behind."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
import trio

from actors.runtime.primitives.session import FRESH
from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from actors.runtime.world import Cpu, Session, World
from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, FrameAllocator, Memory
from scenarios.catalogue import MODULES, load
from tools.experiments.experiment import Experiment, open_experiment

from .models import Request
from .running import runs, transcript
from .searching import identity


@pytest.mark.parametrize("name", MODULES)
def test_no_shipped_combination_leaves_anything_to_the_collector(name: str) -> None:
    scenario = load(name)

    async def main() -> dict[str, int]:
        left, chance = {}, RandomWalk(5)
        async with controlled() as driver:
            for expected in scenario.expected:
                session, params = Session(), scenario.complete(expected.params)
                driver.run(scenario.world(session, params), chance)
                gc.freeze()
                for _ in range(3):
                    driver.run(scenario.world(session, params), chance)
                left[identity(expected)] = gc.collect()
        return left

    gc.disable()
    try:
        assert {combination: left for combination, left in trio.run(main).items() if left} == {}
    finally:
        gc.unfreeze()
        gc.enable()


def worlds_left(made: Experiment, count: int) -> int:
    """How many of `count` worlds are still there when the one after them has run."""

    async def main() -> int:
        chance, left = RandomWalk(3), []
        async with controlled() as driver:
            for _ in range(count):
                left.append(weakref.ref(made.run(driver, chance).world))
            made.run(driver, chance)
        return sum(world() is not None for world in left)

    gc.disable()
    try:
        return trio.run(main)
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("tests/models.py::pri_window", {"kind": "hard"}),
        ("tests/tools/worlds.py::lock_order", {}),
    ],
)
def test_a_world_goes_with_its_last_run_without_help_of_the_collector(name: str, params: dict[str, int | str]) -> None:
    assert worlds_left(open_experiment(name, params), 12) == 0


def test_a_new_world_has_the_memory_of_one_that_is_gone_all_zeros() -> None:
    session = Session()
    first = World(session)
    for name in ("a", "b"):
        first.word(name, 1)
    first.memory.write(PhysAddr(40 * FRAME_BYTES + 8), 7)
    first.frames.free(first.frames.allocate(KERNEL))
    memory = first.memory
    second = World(session)
    assert second.memory is not memory, "somebody still looks at it"
    del first
    number = memory.owner.count(KERNEL)
    assert number == 1
    wanted = memory.array.ctypes.data
    del memory
    third = World(session)
    assert third.memory.array.ctypes.data == wanted
    assert not third.memory.array.any()
    assert third.memory.owner == third.memory.generation == [0] * 48
    assert World(session, frames=4).memory.frames == 4


def test_clearing_forgets_every_write_and_every_owner() -> None:
    memory = Memory(4)
    frames = FrameAllocator(memory, 0, 3)
    last = PhysAddr(4 * FRAME_BYTES - 8)
    memory.write(last, 5)
    memory.write(frames.allocate(KERNEL), 6)
    memory.claim(PhysAddr(FRAME_BYTES), KERNEL)
    memory.clear()
    assert not memory.array.any()
    assert (memory.read(last), memory.owner, memory.generation) == (0, [0] * 4, [0] * 4)


def leftovers(world: World) -> None:
    """Each run leaves a message behind, and a lock that is held."""
    port, again = world.port("p", Request), world.port("p", Request)
    lock, irq = world.mutex("L"), world.interrupt("i")
    assert port is not again
    assert not (port.holds() or again.holds() or lock.holder or irq.pending)

    @world.actor
    async def main(cpu: Cpu) -> None:
        await cpu.lock(lock)
        await cpu.send(port, Request(number=1, issued_under=0))
        await cpu.send(port, Request(number=2, issued_under=0))
        await cpu.send(again, Request(number=3, issued_under=0))
        assert (await cpu.receive(port)).number == 1
        await cpu.access("raise i", writes=(irq.resource,))
        irq.raise_now()


def test_what_is_lent_is_as_new_for_every_world_and_one_world_has_no_part_twice() -> None:
    first, *others = runs(leftovers, 4, Fifo())
    assert first.finding is not None and first.finding.message == "main ends and still holds lock L"
    for other in others:
        assert transcript(other) == transcript(first)
        assert [(step.takes, step.gives) for step in other.steps] == [(s.takes, s.gives) for s in first.steps]


def counted(build: Callable[[World], None], count: int) -> int:
    session = Session()

    async def main() -> None:
        async with controlled() as driver:
            for _ in range(count):
                world = World(session)
                build(world)
                driver.run(world, Fifo())

    trio.run(main)
    return len(session.known)


def test_a_session_does_not_remember_without_end() -> None:
    numbers = iter(range(30_000))

    def build(world: World) -> None:
        @world.actor
        async def main(cpu: Cpu) -> None:
            for _ in range(1_000):
                await cpu.access(f"step {next(numbers)}")

    assert counted(build, 25) == 5_000


def test_memories_of_worlds_that_refer_to_themselves_do_not_pile_up() -> None:
    def alive() -> int:
        return sum(type(one) is Memory for one in gc.get_objects())

    async def main() -> int:
        session, most = Session(), 0
        async with controlled():
            for number in range(10 * FRESH):
                knot: list[object] = [World(session).memory]
                knot.append(knot)
                if number % 8 == 0:
                    most = max(most, alive())
        return most

    gc.collect()
    before = alive()
    assert trio.run(main) - before == FRESH + 3, "two are kept for the next worlds, and one is this world's"
