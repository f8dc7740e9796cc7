"""A step: one visible operation, announced with its exact footprint before it is performed.

Footprints are int bit masks, one bit a resource. Two steps race when one *writes* what the other reads or writes.
*gives* and *takes* order a cause before its effect without a race: what is pushed before what is popped, a release
before the next acquire. A step that is not `ready` is not offered: blocking is a condition, never a failed poll.
"""

from __future__ import annotations

import enum
from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Iterator
from inspect import CO_COROUTINE, CO_GENERATOR
from types import FunctionType
from typing import Any, Literal, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
Resource = Hashable
TimeOut = Literal["any", "last"] | int
"""When a time-out comes: at any moment, only when nothing else can move, or after so many looks of the waiter."""
ANYTHING = -1
"""The mask that matches every resource."""


class MisuseError(Exception):
    """A scenario called the public face as it cannot be called; `where` is the line to look at if none has failed."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


class BrokenRule(MisuseError):
    """Modelled code does what the kernel forbids, such as to sleep under a spin lock: a violation, not an error."""


class Mark(enum.Enum):
    """How an access is seen by who looks for data races."""

    PLAIN = "plain"
    PIECE = "plain, of several"
    """A piece of a longer one, such as of a memcpy."""
    MARKED = "marked"
    """Volatile, atomic, or made by a primitive."""
    EXEMPT = "data_race()"


class ByteAccess(NamedTuple):
    """An access to bytes of memory that a compiler made: to which, how, of what, and where in the source."""

    start: int
    size: int
    writes: bool
    mark: Mark
    name: str
    place: str

    @property
    def said(self) -> str:
        """How people should read it."""
        return f"{'store' if self.writes else 'load'}{f' at {self.place}' if self.place else ''} ({self.mark.value})"


class Step:
    """What an actor is about to do; mutable only by the object that performs it (`gives`/`takes` of a queue
    element are known when the step happens, not when it is announced)."""

    __slots__ = (
        "access",
        "blocked",
        "gives",
        "idle",
        "options",
        "reads",
        "ready",
        "spins",
        "takes",
        "timed_out",
        "times_out",
        "wakes",
        "what",
        "writes",
    )

    def __init__(
        self,
        what: str,
        reads: int = 0,
        writes: int = 0,
        *,
        takes: int = 0,
        gives: int = 0,
        ready: Callable[[], bool] | None = None,
        blocked: Callable[[], str] | None = None,
        options: int = 0,
        idle: bool = False,
        wakes: int = 0,
        access: ByteAccess | None = None,
        spins: bool = False,
        times_out: bool = False,
    ) -> None:
        self.what = what
        self.access = access
        self.reads = reads
        self.writes = writes
        self.takes = takes
        self.gives = gives
        self.ready = ready
        self.blocked = blocked
        self.options = options
        # What `ready` looks at: it is asked again only after somebody wrote or gave some of it.
        self.wakes = wakes or reads | writes | takes or ANYTHING
        self.idle = idle  # a daemon that waits here has nothing left to do
        self.spins = spins  # who waits here keeps a CPU busy, and nothing else runs on it
        self.times_out = times_out  # it is also offered when nothing else can move, whatever `ready` says
        self.timed_out = False

    def late(self) -> Step:
        """The step as it is taken because nothing else can move: it comes after all that was, and before all else."""
        made = Step(
            f"{self.what}: time-out",
            self.reads,
            self.writes,
            ready=self.ready,
            idle=self.idle,
            wakes=self.wakes,
            times_out=True,
            access=self.access,
        )
        made.timed_out = True
        return made

    def sharing(self, reads: int, writes: int, ready: Callable[[], bool] | None) -> Step:
        """The same step, which touches more, and whose condition is `ready`."""
        made = Step(
            self.what,
            self.reads | reads,
            self.writes | writes,
            takes=self.takes,
            gives=self.gives,
            ready=ready,
            blocked=self.blocked,
            options=self.options,
            idle=self.idle,
            wakes=self.wakes | reads | writes,
            access=self.access,
            spins=self.spins,
            times_out=self.times_out,
        )
        made.timed_out = self.timed_out
        return made

    def __repr__(self) -> str:
        return f"Step({self.what!r})"


class MemoryStep(Step):
    """A step whose number of outcomes is known when it is chosen: then `count` is asked, of the step itself.

    `target` is what it accesses, for `count` alone.
    """

    __slots__ = ("count", "last", "plain", "target")

    def __init__(
        self,
        what: str,
        reads: int,
        writes: int,
        count: Callable[[MemoryStep], int],
        target: Any,
        *,
        takes: int = 0,
        gives: int = 0,
        ready: Callable[[], bool] | None = None,
        idle: bool = False,
        times_out: bool = False,
    ) -> None:
        self.what = what
        self.access = None
        self.reads = reads
        self.writes = writes
        self.takes = takes
        self.gives = gives
        self.ready = ready
        self.blocked = None
        self.wakes = reads | writes | takes or ANYTHING
        self.idle = idle
        self.spins = False
        self.times_out = times_out
        self.timed_out = False
        self.count = count
        self.target = target
        self.plain: Step | None = None
        """What it is on record if it had one outcome, should that be known."""
        self.last = 1
        """What it said last."""

    @property
    def options(self) -> int:  # type: ignore[override]
        """How many outcomes it has now."""
        self.last = self.count(self)
        return self.last

    def sharing(self, reads: int, writes: int, ready: Callable[[], bool] | None) -> MemoryStep:
        """The same step, which touches more, and whose condition is `ready`; its outcomes are still to be counted."""
        made = MemoryStep(
            self.what,
            self.reads | reads,
            self.writes | writes,
            self.count,
            self.target,
            takes=self.takes,
            gives=self.gives,
            ready=ready,
            idle=self.idle,
            times_out=self.times_out,
        )
        made.access = self.access
        return made

    def taken(self, outcome: int) -> Step:
        """What it was once it is taken."""
        return Step(
            f"{self.what} ({outcome} older)" if outcome else self.what,
            self.reads,
            self.writes,
            takes=self.takes,
            gives=self.gives,
            ready=self.ready,
            options=self.last if self.last > 1 else 0,
            idle=self.idle,
            wakes=self.wakes,
            access=self.access,
        )


class Abandoned(BaseException):
    """Thrown into the actors of a run that is over; an actor must let it pass."""


class Done:
    """What a driver reports when an actor returned (`error` is None) or raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


FINISHED = Done()


def is_put_off(answer: object) -> bool:
    """Whether what should have answered gave something that has still to be called, awaited or gone through."""
    return callable(answer) or isinstance(answer, Awaitable | Iterator)


def operation(steps: Callable[P, Generator[Step, int, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """An operation that yields its step instead of awaiting `perform`: one frame less to go through at each step.

    What it makes is a coroutine as an `async def` makes it, so that Python tells of one that is never awaited; with
    `types.coroutine`, which marks generators, it would not.
    """
    assert isinstance(steps, FunctionType)
    code = steps.__code__
    steps.__code__ = code.replace(co_flags=code.co_flags & ~CO_GENERATOR | CO_COROUTINE)
    return steps


@operation
def perform(step: Step) -> Generator[Step, int, int]:
    """Announce `step`; return when it was chosen, with the outcome if it offered some."""
    return (yield step)


def races(a: Step, b: Step) -> bool:
    """True if the order of the two steps can be observed."""
    return bool(a.writes & (b.reads | b.writes) or a.reads & b.writes)


def looks_of(time_out: TimeOut) -> int:
    """How often somebody looks before his time is over, 0 if he waits until nothing else can move; MisuseError for what
    is no time-out."""
    if time_out == "last":
        return 0
    if time_out == "any":
        return 1
    if type(time_out) is int and time_out > 0:
        return time_out
    raise MisuseError(f'time_out={time_out!r}: it comes at "any" moment, "last", or after a number of looks from 1 on')
