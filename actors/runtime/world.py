"""A world: a closed set of actors, memory, ports and locks, built fresh by a scenario for every run."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import trio

from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, WORD_BYTES, FrameAllocator, Memory

from .audit import AuditedMemory, audit_event
from .codec import codec
from .events import FunctionOracle, FunctionWitness, Note, Oracle, Violation, Witness, oracle_name
from .ports import Link, Marks, Port, Workqueue
from .step import Resource, ResourceTable, Step, perform
from .sync import Interrupt, Lock, MisuseError, RwLock, SpinLock

Main = Callable[["Cpu"], Coroutine[Any, Any, None]]
MainT = TypeVar("MainT", bound=Main)
MAX_ACTORS = 64
Channel = tuple[trio.MemorySendChannel[bytes], trio.MemoryReceiveChannel[bytes]]


@dataclass(slots=True)
class Actor:
    """Who acts: a name, a coroutine function, and whether it only waits for work (a daemon)."""

    name: str
    main: Main
    daemon: bool
    cpu: Cpu


class Cpu:
    """What an actor acts through: every await on it is one step. Implements `hw.bus.Bus` and `drivers.cpu.Cpu`."""

    __slots__ = ("_loads", "_memory", "_stores", "_world", "emit", "name", "number", "spinning")

    def __init__(self, world: World, number: int, name: str) -> None:
        self._world = world
        self._memory = world.memory
        self._loads = world.session.loads
        self._stores = world.session.stores
        self.number = number
        self.name = name
        self.spinning: list[str] = []
        self.emit = world.emit

    @property
    def now(self) -> int:
        """The number of the step that is being performed: for messages, never for decisions."""
        return self._world.index

    async def load(self, address: PhysAddr, what: str = "") -> int:
        """Read one word of memory."""
        step = self._loads.get((address, what))
        if step is None:
            step = Step(f"load {what or hex(address)}", reads=self._world.mask(("word", address)))
            self._loads[address, what] = step
        await perform(step)
        return self._memory.read(address)

    async def store(self, address: PhysAddr, value: int, what: str = "") -> None:
        """Write one word of memory."""
        step = self._stores.get((address, what))
        if step is None:
            step = Step(f"store {what or hex(address)}", writes=self._world.mask(("word", address)))
            self._stores[address, what] = step
        await perform(step)
        self._memory.write(address, value)

    async def load_words(self, address: PhysAddr, count: int, what: str) -> Sequence[int]:
        """Read neighbouring words that a protocol keeps everybody else away from."""
        addresses = range(address, address + count * WORD_BYTES, WORD_BYTES)
        mask = self._world.session.footprint(tuple([("word", item) for item in addresses]))
        await perform(Step(f"load {what}", mask))
        return [self._memory.read(PhysAddr(item)) for item in addresses]

    async def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> None:
        """Write neighbouring words that a protocol keeps everybody else away from."""
        addresses = range(address, address + len(values) * WORD_BYTES, WORD_BYTES)
        mask = self._world.session.footprint(tuple([("word", item) for item in addresses]))
        await perform(Step(f"store {what}", writes=mask))
        for item, value in zip(addresses, values, strict=True):
            self._memory.write(PhysAddr(item), value)

    async def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> int:
        """Read and write one word in one step, as an atomic instruction does; the value before."""
        await perform(Step(f"rmw {what or hex(address)}", writes=self._world.mask(("word", address))))
        before = self._memory.read(address)
        self._memory.write(address, change(before))
        return before

    async def access(self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()) -> None:
        """One step on named state that is not a single memory word."""
        mask = self._world.session.footprint
        await perform(Step(what, mask(tuple(reads)), mask(tuple(writes))))

    async def wait(
        self,
        what: str,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource] = (),
        writes: Sequence[Resource] = (),
        idle: bool = False,
        sleeps: bool = True,
    ) -> None:
        """One step that is not offered until `until()`; the footprint names all that the condition looks at.

        `idle` says that a daemon which waits here has nothing left to do; `sleeps=False` is a busy wait, allowed
        under a spin lock.
        """
        if sleeps:
            self.might_sleep(what)
        mask = self._world.session.footprint
        await perform(Step(what, mask(tuple(reads)), mask(tuple(writes)), ready=until, blocked=lambda: what, idle=idle))

    async def poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        idle: bool = False,
        sleeps: bool = True,
    ) -> int:
        """One step that is not offered until a word of memory satisfies `until`; the value that did."""
        if sleeps:
            self.might_sleep(what)
        read = self._memory.read
        await perform(
            Step(
                what,
                self._world.mask(("word", address)),
                ready=lambda: until(read(address)),
                blocked=lambda: what,
                idle=idle,
            )
        )
        return read(address)

    async def choose(self, what: str, options: int) -> int:
        """One outcome of `options`; it touches nothing, so it races with nothing."""
        if options < 2:
            return 0
        return await perform(Step(what, options=options))

    async def spawn(self, name: str, main: Main, *, daemon: bool = False) -> None:
        """One step after which a further actor exists."""
        world = self._world
        step = Step(f"spawn {name}")
        await perform(step)
        begun = step.gives = world.mask(("spawn", len(world.actors)))

        async def after_spawn(cpu: Cpu) -> None:
            await perform(Step(f"{name} starts", takes=begun))
            await main(cpu)

        world.add_actor(name, after_spawn, daemon)

    async def lock(self, lock: Lock) -> None:
        """Take a lock."""
        await lock.acquire(self)

    async def unlock(self, lock: Lock) -> None:
        """Give a lock back."""
        await lock.release(self)

    async def send(self, port: Port, message: object) -> None:
        """Put a message on a port."""
        await port.send(message)

    async def receive(self, port: Port) -> Any:
        """Take the next message from a port."""
        return await port.receive(self)

    async def note(self, subject: str, value: int | str = 0) -> None:
        """One step that records a Note about `subject`."""
        await self.access(f"note {subject} = {value}", writes=(("note", subject),))
        self.emit(Note(subject=subject, value=value))

    def might_sleep(self, what: str) -> None:
        """Called before anything that can sleep: refused under a spin lock."""
        if self.spinning:
            raise MisuseError(f"{self.name} may sleep in `{what}` while it holds spin lock {self.spinning[-1]}")


class Session:
    """What outlives a run: the bits of resources and the steps that are always the same. Never read by a choice."""

    def __init__(self, *, audit: bool = False) -> None:
        self.audit = audit
        self.resources = ResourceTable()
        self.loads: dict[tuple[int, str], Step] = {}
        self.stores: dict[tuple[int, str], Step] = {}
        self.ports: dict[str, Marks] = {}
        self._footprints: dict[tuple[Resource, ...], int] = {}
        self._channels: list[Channel] = []
        self._lent = 0
        self._borrowers: list[Port] = []

    def channel(self, port: Port) -> Channel:
        """An empty channel of bytes; the ones of the last run are used again, since making one costs 10 µs."""
        self._borrowers.append(port)
        if self._lent == len(self._channels):
            self._channels.append(trio.open_memory_channel[bytes](math.inf))
        self._lent += 1
        return self._channels[self._lent - 1]

    def empty_channels(self) -> None:
        """A new world begins, so the last one is over: empty its channels."""
        for port in self._borrowers:
            port.drop_rest()
        self._borrowers.clear()
        self._lent = 0

    def footprint(self, resources: tuple[Resource, ...]) -> int:
        """The mask of several resources, remembered."""
        mask = self._footprints.get(resources)
        if mask is None:
            mask = self._footprints[resources] = self.resources.union(resources)
        return mask


class World:
    """Everything that exists in one run. A scenario fills it; the runtime steps it; nothing else looks into it."""

    def __init__(self, session: Session, *, frames: int = 48) -> None:
        session.empty_channels()
        self.session = session
        self.mask = session.resources.mask
        self.step: Step | None = None
        """The step that is being performed, None between steps."""
        self.memory = AuditedMemory(frames, self) if session.audit else Memory(frames)
        self.frames = FrameAllocator(self.memory, 1, frames - 1)
        self.actors: list[Actor] = []
        self.oracles: list[Oracle] = []
        self.witnesses: list[Witness] = []
        self.index = 0
        self.step_bound = 2_000
        self.violation: tuple[str, Violation] | None = None
        self._observers: dict[type, list[tuple[object, Callable[[Any], None]]]] = {}
        self._words = 0
        self.events: list[tuple[int, int, object]] = []
        self.current = 0

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
        return Lock(self, name)

    def spinlock(self, name: str) -> SpinLock:
        """A lock under which nothing may sleep."""
        return SpinLock(self, name)

    def rwlock(self, name: str) -> RwLock:
        """A reader-writer lock."""
        return RwLock(self, name)

    def interrupt(self, name: str) -> Interrupt:
        """An interrupt line."""
        return Interrupt(self, name)

    def port(self, name: str, *types: type) -> Port:
        """A FIFO that carries these message types."""
        return Port(self, name, codec(*types))

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
                if self.violation is None:
                    self.violation = (oracle_name(oracle), violation)

    def _subscribe(self, oracle: object, watches: Sequence[type], observe: Callable[[Any], None]) -> None:
        for kind in watches:
            self._observers.setdefault(kind, []).append((oracle, observe))
