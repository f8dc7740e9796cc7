"""What the public face refuses or names: whatever it took in silence would prove something else than was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from actors.runtime.primitives.events import Finding, Note, Outcome
from actors.runtime.primitives.sync import MisuseError
from actors.runtime.runners.controlled import controlled
from actors.runtime.runners.live import live
from actors.runtime.runners.referee import referee
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from actors.runtime.world import Cpu, Session, World
from scenarios.scenario import scenario

from .running import run, runs

HERE = Path(__file__)


def line(mark: str) -> str:
    """The place of the line of this file that ends with a mark."""
    numbers = [n for n, text in enumerate(HERE.read_text().splitlines(), 1) if text.endswith(f"# {mark}")]
    (number,) = numbers
    return f"{HERE.name}, line {number}"


def found(build: Callable[[World], Any], audit: bool = False) -> Finding:
    """What one run of a world comes to."""
    finding = run(build, audit=audit).finding
    assert finding is not None
    return finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A message."""

    number: int


async def helper(cpu: Cpu, word: Any) -> None:
    await cpu.load(word)


def forgets(world: World, what: str) -> None:
    """An actor makes a step, or calls what makes steps, and does not await it."""
    word, port, lock = world.word("w"), world.port("jobs", Job), world.mutex("m")

    async def clearer(cpu: Cpu) -> None:
        await cpu.load(word)
        if what == "store":
            cpu.store(word, 0)  # type: ignore[unused-coroutine]  # store
        elif what == "note":
            cpu.note("x")  # type: ignore[unused-coroutine]  # note
        elif what == "send":
            cpu.send(port, Job(number=1))  # type: ignore[unused-coroutine]  # send
        elif what == "lock":
            cpu.lock(lock)  # type: ignore[unused-coroutine]  # lock
        elif what == "helper":
            helper(cpu, word)  # type: ignore[unused-coroutine]  # helper
        elif what == "late":
            made = cpu.store(word, 0)  # late
            await cpu.load(word)
            assert made is not None

    world.add_actor("clearer", clearer)


CALLS = {
    "store": "cpu.store",
    "note": "cpu.note",
    "send": "cpu.send",
    "lock": "cpu.lock",
    "helper": "helper",
    "late": "cpu.store",
}


def drivers() -> dict[str, Callable[[World], Execution]]:
    """Each driver: a run of a world."""

    async def by_control(world: World) -> Execution:
        async with controlled() as driver:
            return driver.run(world, Fifo())

    return {
        "controlled": lambda world: trio.run(by_control, world),
        "referee": lambda world: trio.run(referee, world, Fifo()),
        "live": lambda world: trio.run(live, world, Fifo()),
    }


@pytest.mark.parametrize("driver", ["controlled", "referee", "live"])
@pytest.mark.parametrize("what", list(CALLS))
def test_a_step_that_is_never_awaited_is_an_error_with_its_line(driver: str, what: str) -> None:
    world = scenario()(partial_named(what)).world(Session(), {})
    finding = drivers()[driver](world).finding
    call = CALLS[what]
    assert finding == Finding(
        outcome=Outcome.ERROR,
        oracle="never-awaited",
        message=f"clearer never awaits `{call}(...)`, so it does nothing: write `await {call}(...)` ({line(what)})",
        step=1 if what == "late" else 0,
        objects=("clearer",),
        where=line(what),
    )


def partial_named(what: str) -> Callable[[World], None]:
    """`forgets` as a scenario function of its own."""

    def forgetful(world: World) -> None:
        forgets(world, what)

    return forgetful


def test_a_step_made_while_the_world_is_filled_is_refused_with_its_line() -> None:
    @scenario()
    def filled(world: World) -> None:
        port = world.port("jobs", Job)
        made = port.send(Job(number=1))  # filled
        assert made is not None

    with pytest.raises(MisuseError) as refused:
        filled.world(Session(), {})
    assert str(refused.value) == (
        f"the scenario calls `port.send(...)`, which does nothing there: only an actor takes steps ({line('filled')})"
    )


def test_a_step_that_is_kept_until_the_world_is_gone_is_an_error_too() -> None:
    @scenario()
    def keeps(world: World) -> None:
        word, kept = world.word("w"), list[Any]()

        async def main(cpu: Cpu) -> None:
            kept.append(cpu.store(word, 1))  # kept
            await cpu.load(word)

        world.add_actor("main", main)
        world.eventually("p", lambda: None if kept else "nothing was kept")

    finding = drivers()["controlled"](keeps.world(Session(), {})).finding
    assert finding is not None
    assert (finding.oracle, finding.where) == ("never-awaited", line("kept"))


def test_what_an_actor_that_is_left_might_have_awaited_later_is_no_finding() -> None:
    def build(world: World) -> None:
        word, port = world.word("w"), world.port("jobs", Job)

        async def worker(cpu: Cpu) -> None:
            prepared = cpu.store(word, 1)
            await cpu.receive(port)
            await prepared

        async def other(cpu: Cpu) -> None:
            await cpu.load(word)

        world.add_actor("worker", worker, daemon=True)
        world.add_actor("other", other)

    for execution in runs(build, 5, RandomWalk(1)):
        assert execution.outcome is Outcome.QUIET


@pytest.mark.parametrize(
    ("answer", "shown"), [(False, "False"), (True, "True"), (0, "0"), ([], "list"), (Job(number=1), "Job")]
)
def test_a_property_that_answers_anything_but_none_or_a_text_is_an_error(answer: Any, shown: str) -> None:
    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            await cpu.note("x")

        world.add_actor("main", main)
        world.always("small", lambda note: answer)  # property

    finding = found(build)
    assert finding.outcome is Outcome.ERROR
    assert finding.message == (
        f"oracle small raised MisuseError: it returned {shown}; a property returns None while it holds, and a text "
        f"that says what is wrong ({line('property')})"
    )


async def asynchronous(*_: Any) -> None:
    """What no property may be."""


def test_asynchronous_properties_are_refused_at_once() -> None:
    world = World(Session())
    for what in ("always", "eventually", "sometimes"):
        with pytest.raises(MisuseError) as refused:
            getattr(world, what)("p", asynchronous)
        assert str(refused.value) == f"{what} 'p': found an async function or a generator; write a plain `def`"


def test_an_oracle_that_answers_instead_of_raising_is_an_error() -> None:
    class Answers:
        watches = (Note,)

        def observe(self, event: Note) -> str:
            return "this would be lost"

        def at_quiescence(self) -> None:
            """Nothing is owed."""

    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            await cpu.note("x")

        world.add_actor("main", main)
        world.check(Answers())  # type: ignore[arg-type]  # which is the point

    assert found(build).message == (
        "oracle answers raised MisuseError: it returned str; an oracle raises Violation, a witness sets `reached`, "
        "both return None"
    )


def test_an_actor_may_not_hide_what_a_property_raises() -> None:
    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            try:
                await cpu.note("x")
            except ZeroDivisionError:
                return

        world.add_actor("main", main)
        world.always("p", lambda note: str(1 // 0))

    assert found(build).oracle == "ZeroDivisionError"


def test_a_scenario_is_a_plain_function_that_returns_nothing() -> None:
    async def wrong(world: World) -> None:  # asynchronous scenario
        """No scenario."""

    with pytest.raises(MisuseError, match="scenario wrong is no plain function: write `def`") as refused:
        scenario()(wrong).world(Session(), {})  # type: ignore[arg-type]
    assert refused.value.where == line("asynchronous scenario")
    with pytest.raises(MisuseError, match="scenario <lambda> returned int: it fills the world and returns None"):
        scenario()(lambda world: 3).world(Session(), {})  # type: ignore[arg-type]


def test_an_actor_is_a_coroutine_function_or_gives_something_to_await() -> None:
    def plain(cpu: Cpu) -> Any:  # plain
        return None

    finding = found(lambda world: world.add_actor("plain", plain))
    assert finding.message == (
        "plain raised MisuseError: plain is no coroutine function, it returned NoneType: write `async def`, with one "
        f"`await` for each step ({line('plain')})"
    )

    async def spawns(cpu: Cpu) -> None:
        await cpu.spawn("plain", plain)

    assert found(lambda world: world.add_actor("spawns", spawns)).message == finding.message

    def build(world: World) -> None:
        word = world.word("w")
        world.add_actor("partial", partial(helper, word=word))
        world.add_actor("lambda", lambda cpu: helper(cpu, word))

    execution = run(build)
    assert (execution.outcome, execution.index) == (Outcome.QUIET, 2)
    with pytest.raises(MisuseError, match="add actor x: found Job; an actor is an `async def` of its cpu, uncalled"):
        World(Session()).add_actor("x", Job(number=1))  # type: ignore[arg-type]


def test_a_port_says_what_it_carries() -> None:
    with pytest.raises(MisuseError) as refused:
        World(Session()).port("numbers", int)
    assert str(refused.value) == (
        "port numbers: found int; a port carries frozen dataclasses whose fields are numbers, texts, enums or lists "
        "of numbers"
    )


def test_a_wait_names_what_it_looks_at() -> None:
    def build(world: World) -> None:
        async def main(cpu: Cpu) -> None:
            await cpu.wait("anything", bool)

        world.add_actor("main", main)

    finding = found(build)
    assert finding.message == (
        "main raised MisuseError: main waits for `anything` and names nothing that this depends on: give reads= or "
        f"writes= ({finding.where})"
    )


def test_a_condition_that_raises_is_an_error_of_who_waits() -> None:
    def build(world: World) -> None:
        word = world.word("w")

        async def main(cpu: Cpu) -> None:
            await cpu.poll(word, lambda value: 1 // value == 1, "one")  # condition

        world.add_actor("main", main)

    finding = found(build)
    assert (finding.outcome, finding.oracle, finding.where) == (Outcome.ERROR, "ZeroDivisionError", line("condition"))


def test_an_interrupt_is_raised_in_a_step_that_says_so() -> None:
    def build(world: World) -> None:
        irq = world.interrupt("line")

        async def main(cpu: Cpu) -> None:
            await cpu.access("careless")
            irq.raise_now()

        world.add_actor("main", main)

    assert found(build).message.startswith(
        "main raised FootprintError: step `careless` raises irq line, which it does not declare"
    )


def raises(world: World, error: BaseException) -> None:
    async def main(cpu: Cpu) -> None:
        await cpu.note("x")
        raise error  # raise

    world.add_actor("main", main)


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, RecursionError, BaseException])
@pytest.mark.parametrize("driver", ["controlled", "referee"])
def test_whatever_a_model_raises_is_an_error_with_its_line(driver: str, kind: type[BaseException]) -> None:
    world = World(Session())
    raises(world, kind("enough"))
    finding = drivers()[driver](world).finding
    assert finding is not None
    assert (finding.outcome, finding.oracle, finding.where) == (Outcome.ERROR, kind.__name__, line("raise"))
    assert finding.message == f"main raised {kind.__name__}: enough ({line('raise')})"


def test_an_assertion_is_a_violation_and_says_its_text_or_its_line() -> None:
    def build(world: World) -> None:
        word = world.word("w", 1)

        async def main(cpu: Cpu) -> None:
            value = await cpu.load(word)
            assert value == 0  # assertion

        world.add_actor("main", main)

    said = found(lambda world: raises(world, AssertionError("said")))
    assert (said.outcome, said.oracle) == (Outcome.VIOLATED, "AssertionError")
    assert said.message == f"main raised AssertionError: said ({line('raise')})"
    assert found(build).outcome is Outcome.VIOLATED


def swallows(world: World, what: str) -> None:
    """A daemon that lets nothing pass."""
    word = world.word("w")

    async def deaf(cpu: Cpu) -> None:
        while True:
            try:
                await (cpu.poll(word, lambda value: value == 9, "nine") if what == "step" else trio.sleep(0))
            except BaseException:
                continue

    async def other(cpu: Cpu) -> None:
        await cpu.load(word)

    world.add_actor("deaf", deaf, daemon=True)
    world.add_actor("other", other)


@pytest.mark.parametrize("driver", ["controlled", "referee", "live"])
def test_an_actor_that_cannot_be_ended_is_an_error_and_no_hang(driver: str) -> None:
    world = World(Session())
    swallows(world, "step")
    finding = drivers()[driver](world).finding
    assert finding is not None
    assert finding.message == (
        "deaf catches BaseException again and again, so that its run cannot be ended: catch Exception"
    )


def test_the_driver_goes_on_after_actors_that_cannot_be_ended() -> None:
    for what, oracle in (("step", "cannot-be-ended"), ("trio", "MisuseError")):
        executions = runs(partial(swallows, what=what), 3)
        assert [one.finding.oracle for one in executions if one.finding] == [oracle] * 3
