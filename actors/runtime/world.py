"""A world: a closed set of actors, memory, ports and locks, built fresh by a scenario for every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, WORD_BYTES, FrameAllocator

from .audit import AuditedMemory, audit_event
from .codec import codec
from .events import FunctionOracle, FunctionWitness, Note, Oracle, Violation, Witness, oracle_name
from .fetch import Fetch, Piece
from .ports import Link, Port, Workqueue
from .session import Session as Session  # who makes worlds imports both from here
from .step import Resource, Step, operation, perform
from .sync import Interrupt, Lock, MisuseError, RwLock, SpinLock

Main = Callable[["Cpu"], Coroutine[Any, Any, None]]
MainT = TypeVar("MainT", bound=Main)
MAX_ACTORS = 64


@dataclass(slots=True)
class Actor:
    """Who acts: a name, a coroutine function, and whether it only waits for work (a daemon)."""

    name: str
    main: Main
    daemon: bool
    cpu: Cpu
    coroutine: Coroutine[Any, Any, None] | None = None
    """Set by the driver once it has begun."""


class Cpu:
    """What an actor acts through: every await on it is one step. Implements `hw.bus.Bus` and `drivers.cpu.Cpu`."""

    __slots__ = ("_memory", "_session", "_world", "emit", "name", "number", "spinning")

    def __init__(self, world: World, number: int, name: str) -> None:
        self._world = world
        self._memory = world.memory
        self._session = world.session
        self.number = number
        self.name = name
        self.spinning: list[str] = []
        self.emit = world.emit

    @property
    def now(self) -> int:
        """The number of the step that is being performed: for messages, never for decisions."""
        return self._world.index

    @operation
    def load(self, address: PhysAddr, what: str = "") -> Generator[Step, int, int]:
        """Read one word of memory."""
        session = self._session
        step = session.known.get(("load", address, what))
        if step is None:
            step = Step(f"load {what or hex(address)}", reads=self._world.mask(("word", address)))
            session.remember(("load", address, what), step)
        yield step
        return self._memory.read(address)

    @operation
    def store(self, address: PhysAddr, value: int, what: str = "") -> Generator[Step, int, None]:
        """Write one word of memory."""
        session = self._session
        step = session.known.get(("store", address, what))
        if step is None:
            step = Step(f"store {what or hex(address)}", writes=self._world.mask(("word", address)))
            session.remember(("store", address, what), step)
        yield step
        self._memory.write(address, value)

    @operation
    def load_words(self, address: PhysAddr, count: int, what: str) -> Generator[Step, int, Sequence[int]]:
        """Read neighbouring words that a protocol keeps everybody else away from."""
        session, read = self._session, self._memory.read
        step = session.known.get(("load words", address, count, what))
        if step is None:
            step = Step(f"load {what}", reads=session.footprint(_words(address, count)))
            session.remember(("load words", address, count, what), step)
        yield step
        return [read(PhysAddr(address + WORD_BYTES * number)) for number in range(count)]

    async def load_apart(
        self, address: PhysAddr, count: int, pieces: Sequence[Piece], what: str, then: Sequence[Resource] = ()
    ) -> Sequence[int]:
        """Read `count` words: each piece by itself, in any order; what is in no piece in the first step."""
        looks_at = self._world.session.footprint(tuple(then))
        return await Fetch(self._world, self, address, count, what).run(pieces, looks_at)

    @operation
    def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> Generator[Step, int, None]:
        """Write neighbouring words that a protocol keeps everybody else away from."""
        session, write, count = self._session, self._memory.write, len(values)
        step = session.known.get(("store words", address, count, what))
        if step is None:
            step = Step(f"store {what}", writes=session.footprint(_words(address, count)))
            session.remember(("store words", address, count, what), step)
        yield step
        for number, value in enumerate(values):
            write(PhysAddr(address + WORD_BYTES * number), value)

    @operation
    def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> Generator[Step, int, int]:
        """Read and write one word in one step, as an atomic instruction does; the value before."""
        yield Step(f"rmw {what or hex(address)}", writes=self._world.mask(("word", address)))
        before = self._memory.read(address)
        self._memory.write(address, change(before))
        return before

    @operation
    def access(
        self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()
    ) -> Generator[Step, int, None]:
        """One step on named state that is not a single memory word."""
        key = (what, tuple(reads), tuple(writes))
        step = self._session.known.get(key)
        if step is None:
            mask = self._session.footprint
            step = self._session.remember(key, Step(what, mask(key[1]), mask(key[2])))
        yield step

    def touched(self, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """Called while a step is performed: this is what it came to touch, which what it declared has decided.

        Nothing is lost by knowing it so late: whoever changes what decides it conflicts with the step anyhow.
        """
        world, session = self._world, self._session
        step = Step(session.steps[-1].what, session.footprint(tuple(reads)), session.footprint(tuple(writes)))
        session.steps[-1] = step
        world.step = world.step and step

    @operation
    def wait(
        self,
        what: str,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource] = (),
        writes: Sequence[Resource] = (),
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, None]:
        """One step that is not offered until `until()`; the footprint names all that the condition looks at.

        `idle` says that a daemon which waits here has nothing left to do; `sleeps=False` is a busy wait, allowed
        under a spin lock.
        """
        if sleeps and self.spinning:
            self.might_sleep(what)
        mask = self._session.footprint
        yield Step(what, mask(tuple(reads)), mask(tuple(writes)), ready=until, idle=idle)

    @operation
    def poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        idle: bool = False,
        sleeps: bool = True,
    ) -> Generator[Step, int, int]:
        """One step that is not offered until a word of memory satisfies `until`; the value that did."""
        if sleeps and self.spinning:
            self.might_sleep(what)
        read, mask = self._memory.read, self._world.mask(("word", address))
        yield Step(what, mask, ready=lambda: until(read(address)), idle=idle)
        return read(address)

    @operation
    def poll_words(
        self, addresses: Sequence[PhysAddr], until: Callable[..., bool], what: str, *, idle: bool = False
    ) -> Generator[Step, int, list[int]]:
        """A busy wait, one step, that is not offered until several words of memory, given in order, satisfy `until`."""
        mask = self._session.footprint(tuple([("word", address) for address in addresses]))
        read = self._memory.read

        def ready() -> bool:
            return until(*[read(address) for address in addresses])

        yield Step(what, mask, ready=ready, idle=idle)
        return [read(address) for address in addresses]

    @operation
    def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> Generator[Step, int, int]:
        """One outcome of `options`; it touches nothing but what the caller says that it looks at then."""
        if options < 2:
            return 0
        return (yield Step(what, self._world.session.footprint(tuple(reads)), options=options))

    @operation
    def spawn(self, name: str, main: Main, *, daemon: bool = False) -> Generator[Step, int, None]:
        """One step after which a further actor exists."""
        world, session = self._world, self._session
        key: tuple[Hashable, ...] = ("spawn", name)
        yield session.known.get(key) or session.remember(key, Step(f"spawn {name}"))
        key = ("spawn", name, len(world.actors))
        begun = world.mask(("spawn", len(world.actors)))
        session.steps[-1] = session.known.get(key) or session.remember(key, Step(f"spawn {name}", gives=begun))
        key = ("starts", name, len(world.actors))
        start = session.known.get(key) or session.remember(key, Step(f"{name} starts", takes=begun))

        async def after_spawn(cpu: Cpu) -> None:
            await perform(start)
            await main(cpu)

        world.add_actor(name, after_spawn, daemon)

    # Not `async`: what they return is awaited, and a coroutine around it would cost as much as a third of a step.

    def lock(self, lock: Lock) -> Coroutine[Any, Any, None]:
        """Take a lock."""
        return lock.acquire(self)

    def unlock(self, lock: Lock) -> Coroutine[Any, Any, None]:
        """Give a lock back."""
        return lock.release(self)

    def send(self, port: Port, message: object) -> Coroutine[Any, Any, None]:
        """Put a message on a port."""
        return port.send(message)

    def receive(self, port: Port) -> Coroutine[Any, Any, Any]:
        """Take the next message from a port."""
        return port.receive(self)

    async def note(self, subject: str, value: int | str = 0) -> None:
        """One step that records a Note about `subject`."""
        await self.access(f"note {subject} = {value}", writes=(("note", subject),))
        self.emit(Note(subject=subject, value=value))

    def might_sleep(self, what: str) -> None:
        """Called before anything that can sleep: refused under a spin lock."""
        if self.spinning:
            raise MisuseError(f"{self.name} may sleep in `{what}` while it holds spin lock {self.spinning[-1]}")


def _words(address: PhysAddr, count: int) -> tuple[Resource, ...]:
    return tuple([("word", address + WORD_BYTES * number) for number in range(count)])


class World:
    """Everything that exists in one run. A scenario fills it; the runtime steps it; nothing else looks into it."""

    def __init__(self, session: Session, *, frames: int = 48) -> None:
        session.begin()
        self.session = session
        self.mask = session.resources.__getitem__
        self.step: Step | None = None
        """The step that is being performed, None between steps."""
        self.memory = AuditedMemory(frames, self) if session.audit else session.memory(frames)
        self.frames = FrameAllocator(self.memory, 1, frames - 1)
        self.actors: list[Actor] = []
        self.oracles: list[Oracle] = []
        self.witnesses: list[Witness] = []
        self.goals: list[Witness] = []
        self.index = 0
        self.step_bound = 2_000
        self.stop_at = sys.maxsize
        """The step before which a run is stopped to be looked at."""
        self.violation: tuple[str, Violation] | None = None
        self.alert = False
        """Whether more has happened than a step: an actor was added, a property is violated."""
        self._observers: dict[type, list[tuple[object, Callable[[Any], None]]]] = {}
        self._words = 0
        self.events: list[tuple[int, int, object]] = []
        self.current = 0
        self._at_end: list[Callable[[], object]] = []
        self.again: Callable[[], World] | None = None
        """Makes another world like this one, for an audit that compares two runs."""

    def actor(self, main: MainT) -> MainT:
        """Add an actor whose name is the function's (decorator)."""
        self.add_actor(main.__name__, main)
        return main

    def daemon(self, main: MainT) -> MainT:
        """Add an actor that only waits for work: the world is at rest when all others finished and daemons wait."""
        self.add_actor(main.__name__, main, daemon=True)
        return main

    def add_actor(self, name: str, main: Main, daemon: bool = False) -> None:
        """Add an actor; at most MAX_ACTORS in one world."""
        if len(self.actors) >= MAX_ACTORS:
            raise MisuseError(f"add actor {name}: a world has at most {MAX_ACTORS} actors")
        self.actors.append(Actor(name, main, daemon, Cpu(self, len(self.actors), name)))
        self.alert = True

    def at_end(self, forget: Callable[[], object]) -> None:
        """Have `forget` called when the run is over: for parts that refer to each other, which Python frees late."""
        self._at_end.append(forget)

    def end(self) -> None:
        """The run is over: what refers back to the world lets go of it, so that it is freed at once."""
        for actor in self.actors:
            del actor.main, actor.cpu
        while self._at_end:
            self._at_end.pop()()

    def word(self, name: str = "", value: int = 0) -> PhysAddr:
        """A fresh word of kernel memory."""
        if self._words % (FRAME_BYTES // WORD_BYTES) == 0:
            self._frame = self.frames.allocate(KERNEL)
        address = PhysAddr(self._frame + WORD_BYTES * (self._words % (FRAME_BYTES // WORD_BYTES)))
        self._words += 1
        self.memory.write(address, value)
        return address

    def mutex(self, name: str) -> Lock:
        """A lock that may be held across sleeps."""
        return self.session.lend(Lock, name)

    def spinlock(self, name: str) -> SpinLock:
        """A lock under which nothing may sleep."""
        return self.session.lend(SpinLock, name)

    def rwlock(self, name: str) -> RwLock:
        """A reader-writer lock."""
        return self.session.lend(RwLock, name)

    def interrupt(self, name: str) -> Interrupt:
        """An interrupt line."""
        return self.session.lend(Interrupt, name)

    def port(self, name: str, *types: type) -> Port:
        """A FIFO that carries these message types."""
        return self.session.lend(Port, name, codec(*types))

    def workqueue(self, name: str, *types: type) -> Workqueue:
        """A kernel work queue of these messages."""
        return Workqueue(self, name, codec(*types))

    def link(
        self, name: str, *, posted: Sequence[type], non_posted: Sequence[type] = (), completion: Sequence[type] = ()
    ) -> Link:
        """One direction of a PCIe link."""
        return Link(self, name, posted=codec(*posted), non_posted=codec(*non_posted), completion=codec(*completion))

    def check(self, *oracles: Oracle) -> None:
        """Watch properties."""
        for oracle in oracles:
            self.oracles.append(oracle)
            self._subscribe(oracle, oracle.watches, oracle.observe)

    def expect(self, *witnesses: Witness) -> None:
        """Watch for what some run must reach."""
        for witness in witnesses:
            self.witnesses.append(witness)
            self._subscribe(witness, witness.watches, witness.observe)

    def goal(self, *goals: Witness) -> None:
        """Watch for what it is good to have seen; unlike `expect`, it makes no experiment vacuous."""
        for goal in goals:
            self.goals.append(goal)
            self._subscribe(goal, goal.watches, goal.observe)

    def always(self, name: str, check: Callable[[Note], str | None]) -> None:
        """A property of notes: `check` returns a complaint or None."""
        self.check(FunctionOracle(name, check, None))

    def eventually(self, name: str, check: Callable[[], str | None]) -> None:
        """A property of the world at rest: `check` returns a complaint or None."""
        self.check(FunctionOracle(name, None, check))

    def sometimes(self, name: str, seen: Callable[[Note], bool]) -> None:
        """What some run must reach."""
        self.expect(FunctionWitness(name, seen))

    def emit(self, event: object) -> None:
        """Record an event of the current step and show it to who watches; the first violation is kept."""
        if self.session.audit:
            audit_event(self, event)
        self.events.append((self.index, self.current, event))
        for oracle, observe in self._observers.get(type(event), ()):
            try:
                observe(event)
            except Violation as violation:
                violation.__traceback__ = None  # its frames would keep the world alive
                if self.violation is None:
                    self.violation = (oracle_name(oracle), violation)
                    self.alert = True

    def _subscribe(self, oracle: object, watches: Sequence[type], observe: Callable[[Any], None]) -> None:
        for kind in watches:
            self._observers.setdefault(kind, []).append((oracle, observe))
