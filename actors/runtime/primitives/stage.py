"""The stage: what actors act on, and what happened there so far. It does not know who acts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from hw.bus import PhysAddr
from hw.events.event import BASES
from hw.memory import Memory

from . import failures
from .audit import AuditedMemory, audit_event
from .events import Finding, Violation, oracle_name, refuse_answer
from .session import Session
from .step import MisuseError, TimeOut, looks_of

_UNWATCHED = frozenset({(object,), *[(base,) for base in BASES]})
"""Bases of kinds of events that nobody can watch in the place of the kind itself."""


class Stage:
    """The memory and the resources of one run, the step that is taken, the events so far, and who watches them."""

    def __init__(self, session: Session, frames: int, memory: Memory | None = None) -> None:
        session.begin()
        self.session = session
        self.mask = session.resources.__getitem__
        self.memory = memory or session.memory(
            frames, partial(AuditedMemory, session=session) if session.checks_memory else Memory
        )
        self.names: list[str] = []
        """Of the actors, by their numbers."""
        self._time_out: TimeOut = "any"
        self.index = 0
        self.current = 0
        """Who acts."""
        self.events: list[tuple[int, int, object]] = []
        self.stores: dict[PhysAddr, list[tuple[int, int]]] = {}
        """Of each word the stores so far: in which step, and what was there before."""
        self.waited_for: dict[int, int] = {}
        """Of the steps that polled a word those, as a mask, before which it cannot have been as it had to be."""
        self.lock_order: dict[tuple[str, str], str] = {}
        """Of two locks, one of which was taken while the other was held, who did so first."""
        self.busy_waits: list[tuple[str, str, str]] = []
        """Who waited busily, for what, and why it could not sleep, such as `holds spin lock m`."""
        self.violation: tuple[str, Violation] | None = None
        self.broken: Finding | None = None
        """What is wrong with the scenario rather than with what it models: the first that was told."""
        self.alert = False
        """Whether more has happened than a step: an actor was added, a property is violated."""
        self._observers: dict[type, list[tuple[object, Callable[[Any], None]]]] = {}

    @property
    def time_out(self) -> TimeOut:
        """When the time-out of a wait comes that does not say so: at "any" moment, "last", when nothing else can move,
        or after so many looks. MisuseError for anything else."""
        return self._time_out

    @time_out.setter
    def time_out(self, value: TimeOut) -> None:
        looks_of(value)
        self._time_out = value

    @property
    def actor_count(self) -> int:
        """How many actors there are; the next one has this number."""
        return len(self.names)

    def emit(self, event: object) -> None:
        """Record an event of the current step and show it to who watches; the first violation is kept."""
        if self.session.audit:
            audit_event(self.session, event)
        self.events.append((self.index, self.current, event))
        kind = type(event)
        known = self._observers.get(kind, ()) if kind.__bases__ in _UNWATCHED else self._watching(kind)
        for oracle, observe in known:
            try:
                answer = observe(event)
                if answer is not None:
                    refuse_answer(answer)
            except Violation as violation:
                violation.__traceback__ = None  # its frames would keep the world alive
                if self.violation is None:
                    self.violation = (oracle_name(oracle), violation)
                    self.alert = True
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # told here: the actor might catch it, and is not to blame
                self.tell(failures.broken(oracle_name(oracle), error, self.index))

    def tell(self, finding: Finding) -> None:
        """Something is wrong with the scenario: the run ends with that."""
        if self.broken is None:
            self.broken = finding
            self.alert = True

    def subscribe(self, watcher: object, watches: Sequence[type], observe: Callable[[Any], None]) -> None:
        """Show a watcher all events of the types that it watches."""
        for kind in watches:
            if not isinstance(kind, type) or kind is object or kind in BASES:
                shown = kind.__name__ if isinstance(kind, type) else repr(kind)
                raise MisuseError(f"{oracle_name(watcher)} watches {shown}; `watches` is a tuple of types of events")
            self._observers.setdefault(kind, []).append((watcher, observe))

    def _watching(self, kind: type) -> Sequence[tuple[object, Callable[[Any], None]]]:
        """Who watches events of this type, or of one that it is made from; each once."""
        found: list[tuple[object, Callable[[Any], None]]] = []
        for base in kind.__mro__:
            for watch in self._observers.get(base, ()):
                if all(watch[0] is not known[0] for known in found):
                    found.append(watch)
        return found

    def clear(self) -> None:
        """The run is over: let go of who watches."""
        self._observers.clear()
