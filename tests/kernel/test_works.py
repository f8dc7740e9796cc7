"""Works: what is pending, what a flush waits for, and who waits for himself."""

from __future__ import annotations

from collections.abc import Callable

from actors.runtime.world import Cpu, World
from stopmarker.kernel import Completion, WorkqueueStruct, WorkStruct

from .comparing import Build, compare, seen_by
from .running import finding, messages


def counting(actors: Callable[[World, WorkqueueStruct, WorkStruct, dict[str, object]], None]) -> Build:
    """A world with a work that counts its runs."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        queue = WorkqueueStruct(world, "wq")

        async def count(cpu: Cpu) -> None:
            await cpu.access("run", writes=["runs"])
            seen["runs"] = int(str(seen.get("runs", 0))) + 1

        actors(world, queue, WorkStruct("work", count), seen)

    return fill


def test_a_work_is_pending_once_and_can_be_queued_again_while_it_runs() -> None:
    """A queue of equal works would run it twice in every order; one that is pending until it is done, once."""

    def actors(world: World, queue: WorkqueueStruct, work: WorkStruct, seen: dict[str, object]) -> None:
        @world.actor
        async def irq(cpu: Cpu) -> None:
            seen["first"] = await queue.queue(cpu, work)
            seen["second"] = await queue.queue(cpu, work)

    assert compare(counting(actors))[1:] == (2, 0, {
        (("first", True), ("runs", 1), ("second", False)),
        (("first", True), ("runs", 2), ("second", True)),
    })  # fmt: skip


def test_a_flush_waits_for_what_was_queued_before_it_and_for_nothing_later() -> None:
    """One that waits until the queue is empty would never see the later work unfinished."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        queue, word = WorkqueueStruct(world, "wq"), world.word("word")

        async def count(cpu: Cpu) -> None:
            await cpu.rmw(word, lambda value: value + 1)

        first, second = WorkStruct("first", count), WorkStruct("second", count)

        @world.actor
        async def flusher(cpu: Cpu) -> None:
            await queue.queue(cpu, first)
            await queue.flush(cpu)
            seen["done"] = await cpu.load(word)

        @world.actor
        async def other(cpu: Cpu) -> None:
            await queue.queue(cpu, second)

    states = {(("done", 1),), (("done", 2),)}
    assert compare(fill)[1:] == (4, 0, states)


def test_cancel_waits_for_a_run_that_has_begun_and_disable_does_not() -> None:
    """A cancel that only takes it off the queue returns while it runs; so does `disable`, and it should."""

    def stops(how: str) -> Build:
        @seen_by
        def fill(world: World, seen: dict[str, object]) -> None:
            queue, alive = WorkqueueStruct(world, "wq"), world.word("alive", 1)

            async def use(cpu: Cpu) -> None:
                seen["used"] = await cpu.load(alive)

            work = WorkStruct("work", use)

            @world.actor
            async def owner(cpu: Cpu) -> None:
                await queue.queue(cpu, work)
                seen["pending"] = await getattr(queue, how)(cpu, work)
                await cpu.store(alive, 0)

        return fill

    never, before = (("pending", True),), (("pending", False), ("used", 1))
    assert compare(stops("cancel_sync"))[1:] == (2, 0, {never, before})
    assert compare(stops("disable"))[1:] == (3, 0, {never, before, (("pending", False), ("used", 0))})


def test_a_work_that_is_cancelled_or_disabled_cannot_be_queued() -> None:
    """That a work queues itself again must not keep it from being cancelled."""

    def cancelled(world: World, queue: WorkqueueStruct, work: WorkStruct, seen: dict[str, object]) -> None:
        async def requeue(cpu: Cpu) -> None:
            if "again" not in seen:
                seen["again"] = await queue.queue(cpu, itself)

        itself = WorkStruct("itself", requeue)

        @world.actor
        async def owner(cpu: Cpu) -> None:
            await queue.queue(cpu, itself)
            await queue.cancel_sync(cpu, itself)

    def disabled(world: World, queue: WorkqueueStruct, work: WorkStruct, seen: dict[str, object]) -> None:
        @world.actor
        async def owner(cpu: Cpu) -> None:
            await queue.disable(cpu, work)
            seen["disabled"] = await queue.queue(cpu, work)
            seen["enabled"] = await queue.enable(cpu, work)
            await queue.queue(cpu, work)

    assert compare(counting(cancelled))[1:] == (5, 0, {(), (("again", True),), (("again", False),)})
    assert compare(counting(disabled)) == (1, 1, 0, {(("disabled", False), ("enabled", True), ("runs", 1))})


def test_a_delayed_work_is_pending_from_the_call_and_its_timer_may_fire_at_any_time() -> None:
    """One that is pending only when its timer fires could be queued in between, and would run twice."""

    def actors(world: World, queue: WorkqueueStruct, work: WorkStruct, seen: dict[str, object]) -> None:
        @world.actor
        async def owner(cpu: Cpu) -> None:
            await queue.queue_delayed(cpu, work)
            seen["again"] = await queue.queue(cpu, work)
            seen["cancelled"] = await queue.cancel_sync(cpu, work)

    assert compare(counting(actors))[1:] == (8, 0, {
        (("again", False), ("cancelled", True)),
        (("again", False), ("cancelled", False), ("runs", 1)),
        (("again", True), ("cancelled", True), ("runs", 1)),
        (("again", True), ("cancelled", False), ("runs", 2)),
    })  # fmt: skip


def test_a_work_that_waits_for_itself_is_told_with_its_circle() -> None:
    def waits(how: str) -> Callable[[World], None]:
        def fill(world: World) -> None:
            queue = WorkqueueStruct(world, "wq")

            async def wait(cpu: Cpu) -> None:
                await (queue.flush(cpu) if how == "flush" else getattr(queue, how)(cpu, work))

            work = WorkStruct("work", wait)

            @world.actor
            async def owner(cpu: Cpu) -> None:
                await queue.queue(cpu, work)

        return fill

    def held(world: World) -> None:
        queue, lock = WorkqueueStruct(world, "wq"), world.mutex("m")
        work = WorkStruct("work", lock.acquire)

        @world.actor
        async def owner(cpu: Cpu) -> None:
            await queue.queue(cpu, work)

    circle = "wq worker waits since step 3 for work work, which wq worker runs"
    assert messages(waits("flush"), waits("flush_work"), held) == [
        circle,
        circle,
        "work work ends and wq worker still holds lock m",
    ]
    assert finding(waits("cancel_sync")) == circle


def test_a_drain_waits_for_what_works_queue_meanwhile() -> None:
    """A flush waits only for what was queued before it: the second work may still run then."""

    def waits(how: str) -> Build:
        @seen_by
        def fill(world: World, seen: dict[str, object]) -> None:
            queue, word = WorkqueueStruct(world, "wq"), world.word("word")

            async def count(cpu: Cpu) -> None:
                await cpu.rmw(word, lambda value: value + 1)

            async def chain(cpu: Cpu) -> None:
                await queue.queue(cpu, second)

            first, second = WorkStruct("first", chain), WorkStruct("second", count)

            @world.actor
            async def owner(cpu: Cpu) -> None:
                await queue.queue(cpu, first)
                await getattr(queue, how)(cpu)
                seen["done"] = await cpu.load(word)

        return fill

    assert compare(waits("flush"))[1:] == (3, 0, {(("done", 0),), (("done", 1),)})
    assert compare(waits("drain"))[1:] == (2, 0, {(("done", 1),)})


def test_who_queues_from_outside_while_a_queue_is_drained_is_told() -> None:
    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        queue, told = WorkqueueStruct(world, "wq"), Completion(world, "told")
        first, second = WorkStruct("first", told.wait), WorkStruct("second", told.done)  # type: ignore[arg-type]

        @world.actor
        async def owner(cpu: Cpu) -> None:
            await queue.queue(cpu, first)
            await queue.drain(cpu)

        @world.actor
        async def other(cpu: Cpu) -> None:
            await queue.queue(cpu, second)
            await told.complete(cpu)

    assert compare(fill)[1:3] == (4, 1)
    assert messages(fill) == ["other queues second while wq is drained"]
