"""What looked like nothing wrong from the public face: each model here was once believed, and proves something else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import trio

from actors.runtime.primitives.events import Note, Outcome, Violation
from actors.runtime.primitives.sync import MisuseError
from actors.runtime.world import Cpu, Session, World
from hw.events.event import Event
from scenarios.scenario import scenario

from .running import run
from .searching import exhaust


@dataclass(frozen=True)
class Message:
    """A message."""

    number: int


def bad(world: World, message: str = "bad") -> None:
    """No note says that something bad was seen."""
    world.always("never", lambda note: message if note.subject == "bad" else None)


def two_locks(world: World) -> None:
    """Two locks of one name: the reader may see what the writer has not finished."""
    first, second, word = world.mutex("m"), world.mutex("m"), world.word("w")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.lock(first)
        await cpu.store(word, 1)
        await cpu.store(word, 0)
        await cpu.unlock(first)

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.lock(second)
        if await cpu.load(word):
            await cpu.note("bad")
        await cpu.unlock(second)

    bad(world)


def two_ports(world: World) -> None:
    """Two ports of one name: nothing comes from the writer to the reader."""
    first, second, word = world.port("p", Message), world.port("p", Message), world.word("w")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.store(word, 1)
        await cpu.send(first, Message(1))

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.send(second, Message(2))
        await cpu.receive(second)
        if not await cpu.load(word):
            await cpu.note("bad")

    bad(world)


def two_receivers(world: World) -> None:
    """Two take posted requests from one link: the first that arrives may be the second that was sent."""
    link, word = world.link("l", posted=[Message], non_posted=[Message]), world.word("w")

    @world.actor
    async def sender(cpu: Cpu) -> None:
        await link.send_posted(Message(1), "send 1")
        await link.send_ordered("non-posted", Message(2))
        await link.send_posted(Message(3), "send 3")

    @world.actor
    async def one(cpu: Cpu) -> None:
        await link.receive_posted(cpu)
        await link.deliver("deliver as it is")

    @world.actor
    async def other(cpu: Cpu) -> None:
        await link.receive_posted(cpu)
        await cpu.store(word, 1)
        await link.deliver("deliver what was written")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await link.receive_ordered(cpu, "non-posted")
        if not await cpu.load(word):
            await cpu.note("bad")

    bad(world)


@pytest.mark.parametrize(
    ("build", "schedules", "failing"), [(two_locks, 3, 1), (two_ports, 2, 1), (two_receivers, 6, 2)]
)
def test_parts_of_one_name_and_receivers_of_one_link_are_kept_apart(
    build: Callable[[World], None], schedules: int, failing: int
) -> None:
    report = exhaust(scenario()(build), {})
    assert (report.complete, report.schedules, report.failing) == (True, schedules, failing)


def test_a_further_part_of_a_name_has_a_number_behind_it() -> None:
    world = World(Session())
    assert [world.mutex("m").name, world.spinlock("m").name, world.port("m", Message).name] == ["m", "m (2)", "m"]
    assert world.link("m", posted=[Message]).posted.name == "m posted"
    assert world.link("m", posted=[Message]).posted.name == "m posted (2)"


class Narrower(Note):
    """An event that is made from another one."""


class Watches:
    """A property that tells of what it is shown."""

    def __init__(self, *watches: Any) -> None:
        self.watches = watches

    def observe(self, event: object) -> None:
        """Complain."""
        raise Violation(f"saw {type(event).__name__}")

    def at_quiescence(self) -> None:
        """Nothing is owed."""


def emits(world: World) -> None:
    """An actor emits an event of a narrower type."""

    @world.actor
    async def main(cpu: Cpu) -> None:
        await cpu.access("emit", writes=[("note", "bad")])
        cpu.emit(Narrower(subject="bad"))


def test_who_watches_a_type_sees_what_is_made_from_it_once() -> None:
    def build(world: World) -> None:
        emits(world)
        world.check(Watches(Note, Narrower))
        bad(world)

    finding = run(build).finding
    assert finding is not None
    assert (finding.oracle, finding.message) == ("watches", "saw Narrower")


@pytest.mark.parametrize(("kind", "shown"), [("Note", "'Note'"), (object, "object"), (3, "3"), (Event, "Event")])
def test_what_is_watched_is_a_type_of_events(kind: object, shown: str) -> None:
    with pytest.raises(MisuseError) as refused:
        World(Session()).check(Watches(kind))
    assert str(refused.value) == f"watches watches {shown}; `watches` is a tuple of types of events"


def answer_of(world: World, what: str) -> None:
    """Something answers what can be taken for the opposite of what was meant."""
    word = world.word("w")

    @world.actor
    async def main(cpu: Cpu) -> None:
        await cpu.note("x", "")
        if what == "generator":
            await cpu.wait("the end", lambda: iter([False]), reads=["end"])  # type: ignore[arg-type,return-value]
        elif what == "function":
            await cpu.poll(word, lambda _: lambda: False, "a one")  # type: ignore[arg-type,return-value]

    if what == "empty":
        world.always("p", lambda note: str(note.value))
    elif what == "witness":
        world.sometimes("w", lambda _: "not yet")  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("empty", "oracle p raised MisuseError: it returned an empty text; a property returns None while it holds"),
        ("witness", "oracle w raised MisuseError: it returned str; a witness returns True or False"),
        ("generator", "main raised MisuseError: a condition returned list_iterator; it returns True or False"),
        ("function", "main raised MisuseError: a condition returned function; it returns True or False"),
    ],
)
def test_an_answer_that_says_the_opposite_of_what_it_says_is_refused(what: str, message: str) -> None:
    finding = run(lambda world: answer_of(world, what)).finding
    assert finding is not None
    assert finding.outcome is Outcome.ERROR
    assert finding.message.startswith(message)


@pytest.mark.parametrize("options", [0, -3, 2.0, "ab", ["a", "b"]])
def test_a_choice_is_of_a_number_of_at_least_one(options: Any) -> None:
    def build(world: World) -> None:
        @world.actor
        async def main(cpu: Cpu) -> None:
            await cpu.choose("c", options)

    finding = run(build).finding
    assert finding is not None
    assert finding.message.startswith(
        f"main raised MisuseError: main chooses `c` of {options!r}: give the number of options, at least 1"
    )


def swallows(world: World, what: str) -> None:
    """An actor goes on as if it had not been told that it may not do so."""
    mutex, spinlock = world.mutex("m"), world.spinlock("s")

    @world.actor
    async def main(cpu: Cpu) -> None:
        await cpu.lock(spinlock)
        try:
            match what:
                case "sleep":
                    await cpu.lock(mutex)
                case "unlock":
                    await cpu.unlock(mutex)
                case "wait":
                    await cpu.wait("anything", bool, sleeps=False)
                case "trio":
                    await trio.sleep(0)
        except Exception:
            await cpu.note("x")
        await cpu.unlock(spinlock)


@pytest.mark.parametrize(
    ("what", "outcome", "message"),
    [
        ("sleep", Outcome.VIOLATED, "main raised BrokenRule: main may sleep in `lock m` while it holds spin lock s"),
        ("unlock", Outcome.VIOLATED, "main raised BrokenRule: main unlocks m: it is held by nobody"),
        ("wait", Outcome.ERROR, "main raised MisuseError: main waits for `anything` and names nothing that this"),
        ("trio", Outcome.ERROR, "main raised MisuseError: an actor awaited"),
    ],
)
def test_what_is_refused_counts_also_if_the_actor_catches_it(what: str, outcome: Outcome, message: str) -> None:
    finding = run(lambda world: swallows(world, what)).finding
    assert finding is not None
    assert finding.outcome is outcome
    assert finding.message.startswith(message)


def test_a_condition_that_changes_its_answer_by_itself_is_an_error() -> None:
    def build(world: World) -> None:
        asked = [0]

        def second() -> bool:
            asked[0] += 1
            return asked[0] > 1

        @world.actor
        async def main(cpu: Cpu) -> None:
            await cpu.wait("the second time", second, reads=["x"])

    finding = run(build).finding
    assert finding is not None
    assert finding.message == (
        "main raised MisuseError: whether `the second time` can be taken is another answer each time that it is "
        "asked: a condition looks at the world, and changes nothing"
    )


@pytest.mark.parametrize("kind", ["mutex", "spinlock"])
def test_an_actor_takes_no_lock_with_the_cpu_of_another(kind: str) -> None:
    """Else it could sleep under a spin lock, and whoever holds a lock would not be who took it."""

    def build(world: World) -> None:
        lock, cpus = getattr(world, kind)("m"), list[Cpu]()

        @world.actor
        async def lender(cpu: Cpu) -> None:
            cpus.append(cpu)
            await cpu.note("lent")

        @world.actor
        async def borrower(cpu: Cpu) -> None:
            await cpu.note("begins")
            await cpus[0].lock(lock)

    finding = run(build).finding
    assert finding is not None
    assert finding.outcome is Outcome.ERROR
    assert finding.message.startswith(
        "borrower raised MisuseError: borrower takes the step `lock m` of lender's cpu: each actor has its own"
    )


@pytest.mark.parametrize("bound", [0, -1, None])
def test_a_step_bound_is_a_number_of_at_least_one(bound: Any) -> None:
    def build(world: World) -> None:
        world.step_bound = bound

    with pytest.raises(MisuseError, match=rf"scenario build sets step_bound to {bound}: it is a number of at least 1"):
        scenario()(build).world(Session(), {})
