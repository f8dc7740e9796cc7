"""Work queues and reader-writer locks do what the kernel's do, in every order (smmuv3 §3.12, §3.14)."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import Note
from actors.runtime.primitives.workqueue import Workqueue
from actors.runtime.world import Cpu, World
from scenarios.parameters import one_of
from scenarios.scenario import scenario
from tests.models import Request
from tests.searching import exhaust


@scenario(expected=(), works=one_of("one", "equal", default="one", meaning="whether both queue one work"))
def queue_twice(world: World, works: str) -> None:
    """Two interrupts queue a work; each expects a run of its own."""
    queue, served = world.workqueue("wq", Request), world.word("served")
    first = Request(number=0, issued_under=0)
    second = first if works == "one" else Request(number=0, issued_under=0)

    async def irq(cpu: Cpu, work: Request) -> None:
        await cpu.note("queued" if await queue.queue(work) else "pending")

    async def worker(cpu: Cpu) -> None:
        while True:
            number, _ = await queue.take(cpu)
            await cpu.rmw(served, lambda count: count + 1)
            await queue.finish(number)

    world.add_actor("irq0", lambda cpu: irq(cpu, first))
    world.add_actor("irq1", lambda cpu: irq(cpu, second))
    world.add_actor("worker", worker, daemon=True)
    world.eventually("two runs", lambda: None if world.memory.read(served) == 2 else "one was never served")
    world.sometimes("both are queued", lambda note: note.subject == "queued")


@pytest.mark.parametrize(("works", "schedules", "failing"), [("one", 6, 2), ("equal", 4, 0)])
def test_a_work_that_is_pending_runs_once_and_an_equal_one_is_another(works: str, schedules: int, failing: int) -> None:
    report = exhaust(queue_twice, {"works": works})
    assert report.complete
    assert (report.schedules, report.failing) == (schedules, failing)


@scenario(expected=())
def queue_again(world: World) -> None:
    """A worker queues the work that it runs, twice."""
    queue = world.workqueue("wq", Request)

    async def irq(cpu: Cpu) -> None:
        await queue.queue(Request(number=0, issued_under=0))

    async def worker(cpu: Cpu) -> None:
        for _ in range(2):
            await once(cpu, queue)

    async def once(cpu: Cpu, queue: Workqueue) -> None:
        number, work = await queue.take(cpu)
        await cpu.note("again", f"{await queue.queue(work)}, {await queue.queue(work)}")
        await queue.finish(number)

    def both(note: Note) -> str | None:
        return None if note.value == "True, False" else f"queued: {note.value}"

    world.add_actor("irq", irq)
    world.add_actor("worker", worker)
    world.always("once", both)


def test_pending_ends_before_the_work_runs() -> None:
    report = exhaust(queue_again, {})
    assert report.complete
    assert (report.schedules, report.failing) == (1, 0)


@scenario(expected=())
def read_twice(world: World) -> None:
    """A reader reads again under its own read lock while a writer comes."""
    lock = world.rwsem("mmap_lock")

    async def reader(cpu: Cpu) -> None:
        await lock.acquire_read(cpu)
        await lock.acquire_read(cpu)
        await lock.release_read(cpu)
        await lock.release_read(cpu)

    async def writer(cpu: Cpu) -> None:
        await lock.acquire_write(cpu)
        await cpu.note("written")
        await lock.release_write(cpu)

    world.add_actor("reader", reader)
    world.add_actor("writer", writer)
    world.sometimes("the writer writes", lambda note: True)


def test_a_waiting_writer_keeps_a_second_read_lock_out() -> None:
    report = exhaust(read_twice, {})
    assert report.complete
    assert (report.schedules, report.failing) == (5, 1)
    assert report.first is not None
    assert report.first.finding.message == (
        "reader waits since step 1 for rwlock mmap_lock, held by reader since step 0, behind writer; writer waits "
        "since step 2 for rwlock mmap_lock, held by reader since step 0"
    )
