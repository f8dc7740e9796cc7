"""A world: a closed set of actors, memory, ports and locks, built fresh by a scenario for every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from functools import cache, partial
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType
from typing import Any, TypeVar

from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, WORD_BYTES, FrameAllocator

from .primitives import failures
from .primitives.codec import Codec, codec
from .primitives.cpu import Cpu as Cpu  # who makes worlds imports these from here
from .primitives.cpu import Main as Main
from .primitives.events import FunctionOracle, FunctionWitness, Note, Oracle, Witness
from .primitives.link import Link
from .primitives.memory_models.cpu import WeakCpu
from .primitives.memory_models.memory import WatchedMemory
from .primitives.memory_models.views import VIEWS, HardwareViews
from .primitives.places import place_in
from .primitives.ports import Port
from .primitives.processor import Processor
from .primitives.resources import shown
from .primitives.rwlock import RwLock, RwSemaphore
from .primitives.session import Session as Session
from .primitives.sharing import Sharing
from .primitives.stage import Stage
from .primitives.sync import Interrupt, Lock, MisuseError, SpinLock
from .primitives.workqueue import Workqueue

MainT = TypeVar("MainT", bound=Main)
MAX_ACTORS = 64
SC = "sc"
MEMORY_MODELS = (SC, *VIEWS)
"""What memory can be: sequentially consistent, x86 (`tso`), Armv8 (`arm`)."""


@dataclass(slots=True)
class Actor:
    """Who acts: a name, a coroutine function, whether it only waits for work (a daemon), and whether it is hardware."""

    name: str
    main: Main
    daemon: bool
    hardware: bool
    cpu: Cpu
    coroutine: Coroutine[Any, Any, None] | None = None
    """Set by the runner once it has begun."""


class World(Stage):
    """Everything that exists in one run. A scenario fills it; the runtime steps it; nothing else looks into it."""

    def __init__(self, session: Session, *, frames: int = 48, memory_model: str = SC) -> None:
        """`memory_model` says what stores and loads of CPUs may do: "sc", "tso" or "arm" (docs/memory-models.md)."""
        super().__init__(session, frames, None if memory_model == SC else WatchedMemory(frames, session))
        self.memory_model = memory_model
        self.frames = FrameAllocator(self.memory, 1, frames - 1)
        self.actors: list[Actor] = []
        self.oracles: list[Oracle] = []
        self.witnesses: list[Witness] = []
        self.goals: list[Witness] = []
        self.step_bound = 2_000
        self.stop_at = sys.maxsize
        """The step before which a run is stopped to be looked at."""
        self.context = copy_context()
        """What context variables hold in this world, and in no other."""
        self._words = 0
        self.counters: list[PhysAddr] = []
        """The words of which only differences matter."""
        self.workqueues: list[Workqueue] = []
        self.must_finish: list[str] = []
        """The actors that are to finish under every fair schedule."""
        self.parts: list[Callable[[bool], bytes | None]] = []
        """What belongs to its state besides memory and Python's objects: the whole, or what actors leave for each
        other. None once another world has taken its place."""
        self.is_full = False
        """Whether a run has begun."""
        self.is_racing = False
        """Whether its steps are being taken: it has begun, and is not at rest."""
        self._at_end: list[Callable[[], object]] = []
        self.sharing: Sharing | None = None
        """What watches the code of a user's file."""
        self.again: Callable[[], World] | None = None
        """Makes another world like this one, to compare two runs or to look at one more closely."""

    def actor(self, main: MainT) -> MainT:
        """Add an actor whose name is the function's (decorator)."""
        self.add_actor(main.__name__, main)
        return main

    def daemon(self, main: MainT) -> MainT:
        """Add an actor that only waits for work: the world is at rest when all others finished and daemons wait."""
        self.add_actor(main.__name__, main, daemon=True)
        return main

    def add_actor(
        self, name: str, main: Main, daemon: bool = False, hardware: bool = False, on: Processor | None = None
    ) -> None:
        """Add an actor; at most MAX_ACTORS in one world. MisuseError if `main` cannot be called, or is a generator.

        `hardware` has no CPU: it is drawn so, with other parts of it (what has its name up to a dot), and its accesses
        are in order under every memory model, as are those of whom it spawns. `on` is the processor that it shares
        with others; whom it spawns has one of its own.
        """
        if not isinstance(name, str):
            raise MisuseError(
                f"add actor: found {shown(name)}, then {shown(main)}; the name comes first, then the actor"
            )
        if not callable(main) or _flags(main) & (CO_GENERATOR | CO_ASYNC_GENERATOR):
            kind = "a generator" if callable(main) else type(main).__name__
            raise MisuseError(f"add actor {name}: found {kind}; an actor is an `async def` of its cpu, uncalled")
        if on is not None and (not isinstance(on, Processor) or hardware):
            found = "hardware, which has no processor" if hardware else shown(on)
            raise MisuseError(f"add actor {name}: found {found}; give what `world.processor(name)` made")
        if on is not None:
            on.threads += 1
        self._add(Actor(name, main, daemon, hardware, self._cpu(name, hardware, on)))

    def add_handler(self, name: str, main: Main, on: Processor | None) -> None:
        """Add a daemon that handles hard interrupts; on a processor it says itself when it begins and ends there."""
        cpu = self._cpu(name, False, on)
        cpu.in_interrupt = True
        self._add(Actor(name, main, True, False, cpu))

    def _add(self, actor: Actor) -> None:
        if len(self.actors) >= MAX_ACTORS:
            raise MisuseError(f"add actor {actor.name}: a world has at most {MAX_ACTORS} actors")
        self.actors.append(actor)
        self.names.append(actor.name)
        self.alert = True

    def _cpu(self, name: str, hardware: bool, on: Processor | None = None) -> Cpu:
        number = self.actor_count
        if self.memory_model == SC:
            cpu = Cpu(self, number, name, self.add_actor)
        else:
            parent = self.actors[self.current].cpu if self.is_full and self.actors else None
            in_order = hardware or (isinstance(parent, WeakCpu) and isinstance(parent.views, HardwareViews))
            views = HardwareViews() if in_order else VIEWS[self.memory_model]()
            if on is not None:
                views = on.views = on.views or views
            cpu = WeakCpu(self, number, name, self.add_actor, views)
        cpu.processor = on
        return cpu

    def at_end(self, forget: Callable[[], object]) -> None:
        """Have `forget` called when the run is over: for parts that refer to each other, which Python frees late."""
        self._at_end.append(forget)

    def end(self) -> None:
        """The run is over: what refers back to the world lets go of it, so that it is freed at once."""
        for actor in self.actors:
            del actor.main, actor.cpu
        self.oracles.clear()
        self.clear()
        while self._at_end:
            self._at_end.pop()()

    def word(self, name: str = "", value: int = 0) -> PhysAddr:
        """A fresh word of kernel memory; `name` is what steps and messages call it."""
        self.refuse_late("world.word", name)
        if not isinstance(value, int):
            raise MisuseError(f"world.word({name!r}, {shown(value)}): a word holds a number")
        if self._words % (FRAME_BYTES // WORD_BYTES) == 0:
            self._frame = self.frames.allocate(KERNEL)
        address = PhysAddr(self._frame + WORD_BYTES * (self._words % (FRAME_BYTES // WORD_BYTES)))
        self._words += 1
        self.session.name_word(address, name)
        self.memory.write(address, value)
        return address

    def counter(self, name: str = "", value: int = 0) -> PhysAddr:
        """A fresh word that counts: only how much it moves matters, so a run that comes to the same but for it goes
        round in a circle. What an actor remembers of it is a `Count` of this word."""
        address = self.word(name, value)
        self.counters.append(address)
        return address

    def mutex(self, name: str) -> Lock:
        """A lock that may be held across sleeps."""
        self.refuse_late("world.mutex", name)
        return self.session.lend(Lock, name)

    def spinlock(self, name: str) -> SpinLock:
        """A lock under which nothing may sleep."""
        self.refuse_late("world.spinlock", name)
        return self.session.lend(SpinLock, name)

    def rwsem(self, name: str) -> RwSemaphore:
        """struct rw_semaphore: a reader-writer lock that may be held across sleeps."""
        self.refuse_late("world.rwsem", name)
        return self.session.lend(RwSemaphore, name)

    def rwlock(self, name: str) -> RwLock:
        """rwlock_t: a reader-writer lock under which nothing may sleep."""
        self.refuse_late("world.rwlock", name)
        return self.session.lend(RwLock, name)

    def interrupt(self, name: str) -> Interrupt:
        """An interrupt line."""
        self.refuse_late("world.interrupt", name)
        return self.session.lend(Interrupt, name)

    def processor(self, name: str) -> Processor:
        """A CPU that several actors share: those added with `on=` it, and interrupt lines that are handled there."""
        self.refuse_late("world.processor", name)
        return self.session.lend(Processor, name)

    def port(self, name: str, *types: type) -> Port:
        """A FIFO that carries these message types."""
        self.refuse_late("world.port", name)
        return self.session.lend(Port, name, _carried(name, types))

    def workqueue(self, name: str, *types: type) -> Workqueue:
        """A kernel work queue of these messages."""
        self.refuse_late("world.workqueue", name)
        self.workqueues.append(Workqueue(self.session, name, _carried(name, types)))
        return self.workqueues[-1]

    def link(
        self, name: str, *, posted: Sequence[type], non_posted: Sequence[type] = (), completion: Sequence[type] = ()
    ) -> Link:
        """One direction of a PCIe link."""
        self.refuse_late("world.link", name)
        carried = (_carried(name, types) for types in (posted, non_posted, completion))
        return Link(self.session, name, **dict(zip(("posted", "non_posted", "completion"), carried, strict=True)))

    def refuse_late(self, what: str, name: object) -> None:
        """MisuseError for a part that has no text as its name, or that is made once actors run.

        What is made then is another one in each order of steps, and no step says that somebody made it.
        """
        if not isinstance(name, str):
            raise MisuseError(
                f'{what}: found {shown(name)} as its name; the name comes first and is a text, such as {what}("refs")'
            )
        if self.is_full:
            who = self.names[self.current]
            error = MisuseError(
                f"{what}({name!r}) in an actor: words, locks and ports are made in the scenario function",
                place_in(sys._getframe(1)),
            )
            self.tell(failures.failed(who, who, error, self.index))
            raise error

    def check(self, *oracles: Oracle) -> None:
        """Watch properties."""
        for oracle in oracles:
            self.oracles.append(oracle)
            _refuse_async(type(oracle), "observe", "at_quiescence")
            self.subscribe(oracle, oracle.watches, oracle.observe)

    def expect(self, *witnesses: Witness) -> None:
        """Watch for what some run must reach."""
        for witness in witnesses:
            self.witnesses.append(witness)
            _refuse_async(type(witness), "observe")
            self.subscribe(witness, witness.watches, witness.observe)

    def goal(self, *goals: Witness) -> None:
        """Watch for what it is good to have seen; unlike `expect`, it makes no experiment vacuous."""
        for goal in goals:
            self.goals.append(goal)
            _refuse_async(type(goal), "observe")
            self.subscribe(goal, goal.watches, goal.observe)

    def always(self, name: str, check: Callable[[Note], str | None]) -> None:
        """A property of notes: `check` returns a complaint or None."""
        self.check(FunctionOracle(name, _function("always", name, check), None))

    def eventually(self, name: str, check: Callable[[], str | None]) -> None:
        """A property of the world at rest: `check` returns a complaint or None."""
        self.check(FunctionOracle(name, None, _function("eventually", name, check)))

    def sometimes(self, name: str, seen: Callable[[Note], bool]) -> None:
        """What some run must reach."""
        self.expect(FunctionWitness(name, _function("sometimes", name, seen)))

    def finishes(self, *names: str) -> None:
        """A property: these actors finish under every fair schedule, that is if whoever can go again and again goes.

        It is proved of worlds with finitely many states, as daemons may go on for ever (see docs/time.md).
        """
        for name in names:
            if not isinstance(name, str):
                raise MisuseError(f"world.finishes({shown(name)}): give the name of an actor, a text")
            self.must_finish.append(name)

    def never_awaited(self, what: str, where: str) -> None:
        """Something to be awaited was dropped, by the actor that acts or by the function that fills the world."""
        name = self.actors[self.current].name if self.is_full else ""
        self.tell(failures.never_awaited(name, what, where, self.index))


def not_plain(function: object) -> bool:
    """Whether calling a function does not run it: an `async def`, or one with a `yield`."""
    return bool(_flags(function) & (CO_GENERATOR | CO_COROUTINE | CO_ASYNC_GENERATOR))


def _flags(function: object) -> int:
    """What Python knows of a function or method, 0 of anything else; `inspect` takes longer than filling the world."""
    while isinstance(function, partial):
        function = function.func
    code = getattr(function, "__code__", None)
    return code.co_flags if isinstance(code, CodeType) else 0


FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])


def _function(what: str, name: str, function: FunctionT) -> FunctionT:
    """What is asked while a run goes on; MisuseError if asking it would not run it."""
    if not callable(function):
        raise MisuseError(f"{what} {name!r}: found {type(function).__name__}; a function is asked, uncalled")
    if not_plain(function):
        raise MisuseError(f"{what} {name!r}: found an async function or a generator; write a plain `def`")
    return function


@cache
def _refuse_async(kind: type, *methods: str) -> None:
    """MisuseError if calling these methods of an oracle or witness would not run them."""
    for name in methods:
        _function(kind.__name__, name, getattr(kind, name))


def _carried(name: str, types: Sequence[Any]) -> Codec:
    """How the messages of a port are packed; MisuseError for a type that no port can carry."""
    try:
        return codec(*types)
    except TypeError as error:
        raise MisuseError(f"port {name}: {error}") from None
