"""Interrupts: what is in flight, what a handler keeps waiting, and what becomes of a thread whose handler is freed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from actors.runtime.world import Cpu, World
from stopmarker.kernel import Completion, IrqAction, IrqLine

from .comparing import Build, compare, seen_by
from .running import messages

NEVER: tuple[object, ...] = ()
WHILE_ALIVE, TOO_LATE = (("used", 1),), (("used", 0),)


def stopping(how: str, threaded: bool) -> Build:
    """A device raises, its driver stops the interrupt, and then what the handler or its thread uses is gone."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        alive = world.word("alive", 1)

        async def use(cpu: Cpu) -> None:
            seen["used"] = await cpu.load(alive)

        async def handler(cpu: Cpu) -> bool:
            if not threaded:
                await use(cpu)
            return threaded

        action = IrqAction("device", handler, use if threaded else None)
        line = IrqLine(world, "line", action)
        world.add_actor("device", line.raise_msi)

        @world.actor
        async def driver(cpu: Cpu) -> None:
            await (line.free(cpu, action) if how == "free" else getattr(line, how)(cpu))
            await cpu.store(alive, 0)

    return fill


@pytest.mark.parametrize(
    ("how", "threaded", "classes", "states"),
    [
        ("synchronize", False, 5, {WHILE_ALIVE, TOO_LATE}),
        ("synchronize", True, 7, {WHILE_ALIVE, TOO_LATE}),
        ("disable_nosync", False, 5, {NEVER, WHILE_ALIVE, TOO_LATE}),
        ("disable", False, 5, {NEVER, WHILE_ALIVE}),
        ("disable", True, 5, {NEVER, WHILE_ALIVE}),
        ("free", False, 5, {NEVER, WHILE_ALIVE}),
        ("free", True, 9, {NEVER, WHILE_ALIVE}),
    ],
)
def test_what_each_way_to_stop_an_interrupt_waits_for(
    how: str, threaded: bool, classes: int, states: set[object]
) -> None:
    """`synchronize_irq` says nothing of a message in flight: one that waits for it shows no late handler. A `free_irq`
    that does not wait for the thread shows a late one."""
    assert compare(stopping(how, threaded))[1:] == (classes, 0, states)


def test_what_comes_while_the_line_is_disabled_is_latched_once() -> None:
    """Without the latch the interrupt is lost; as a queue it would be handled twice."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        sent = Completion(world, "sent")

        async def handler(cpu: Cpu) -> bool:
            await cpu.access("count", writes=["count"])
            seen["runs"] = int(str(seen.get("runs", 0))) + 1
            return False

        line = IrqLine(world, "line", IrqAction("device", handler))

        @world.actor
        async def device(cpu: Cpu) -> None:
            await line.raise_msi(cpu)
            await line.raise_msi(cpu)
            await sent.complete(cpu)

        @world.actor
        async def driver(cpu: Cpu) -> None:
            await line.disable_nosync(cpu)
            await sent.wait(cpu)
            await line.enable(cpu)

    assert compare(fill)[1:] == (33, 0, {(("runs", 1),), (("runs", 2),)})


def test_a_shared_line_asks_every_handler_and_a_freed_one_no_more() -> None:
    """A line that forgets to ask the second would lose its interrupt."""

    @seen_by
    def fill(world: World, seen: dict[str, object]) -> None:
        def action(name: str) -> IrqAction:
            async def handler(cpu: Cpu) -> bool:
                await cpu.access(name, writes=[name])
                seen[name] = True
                return False

            return IrqAction(name, handler)

        first, second = action("first"), action("second")
        line = IrqLine(world, "line", first, second)
        world.add_actor("device", line.raise_msi)

        @world.actor
        async def driver(cpu: Cpu) -> None:
            await line.free(cpu, first)

    assert compare(fill)[1:] == (8, 0, {(("first", True), ("second", True)), (("second", True),)})


def test_what_an_interrupt_must_not_do_is_told() -> None:
    def world_of(handled: str, driver: str = "") -> Callable[[World], None]:
        def fill(world: World) -> None:
            lock = world.mutex("m")

            async def handler(cpu: Cpu) -> bool:
                if handled == "lock":
                    await cpu.lock(lock)
                if handled == "synchronize":
                    await line.synchronize(cpu)
                await cpu.access("handled")
                return False

            action = IrqAction("device", handler)
            line = IrqLine(world, "line", action)

            @world.actor
            async def device(cpu: Cpu) -> None:
                await line.raise_msi(cpu)
                if driver == "enable":
                    await line.enable(cpu)
                if driver == "free":
                    await line.free(cpu, action)
                    await line.free(cpu, action)

        return fill

    assert messages(
        world_of("lock"), world_of("synchronize"), world_of("", "enable"), world_of("", "free"), world_of("")
    ) == [
        "line irq may sleep in `lock m` while it handles irq line",
        "line irq may sleep in `synchronize_irq line` while it handles irq line",
        "device enables irq line, which is not disabled",
        "device frees device, which is not on irq line",
        "",
    ]
