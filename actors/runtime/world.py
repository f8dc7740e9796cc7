"""A world: a closed set of actors, memory, ports and locks, built fresh by a scenario for every run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from hw.bus import PhysAddr
from hw.memory import FRAME_BYTES, KERNEL, WORD_BYTES, FrameAllocator

from .audit import AuditedMemory, audit_event
from .codec import codec
from .cpu import Cpu as Cpu  # who makes worlds imports these from here
from .cpu import Main as Main
from .events import FunctionOracle, FunctionWitness, Note, Oracle, Violation, Witness, oracle_name
from .ports import Link, Port, Workqueue
from .session import Session as Session
from .step import Step
from .sync import Interrupt, Lock, MisuseError, RwLock, SpinLock

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
        self.stores: dict[PhysAddr, list[tuple[int, int]]] = {}
        """Of each word the stores so far: in which step, and what was there before."""
        self.waited_for: dict[int, int] = {}
        """Of the steps that polled a word those, as a mask, before which it cannot have been as it had to be."""
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
