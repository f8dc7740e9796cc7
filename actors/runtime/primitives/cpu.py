"""A cpu: what an actor acts through. Every await on it is one step, announced with exactly what it touches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Sequence
from inspect import isawaitable
from types import CoroutineType
from typing import TYPE_CHECKING, Any, NoReturn, SupportsIndex

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES

from .audit import AuditedMemory, FootprintError
from .events import Note
from .failures import failed
from .fetch import Fetch, Piece
from .places import defined
from .ports import Port
from .step import BrokenRule, MisuseError, Resource, Step, is_put_off, operation, perform
from .sync import Lock

if TYPE_CHECKING:
    from ..world import World

Main = Callable[["Cpu"], Coroutine[Any, Any, None]]
"""An actor's main function."""


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
        self._overwrite(address, value)

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
        session, count = self._session, len(values)
        step = session.known.get(("store words", address, count, what))
        if step is None:
            step = Step(f"store {what}", writes=session.footprint(_words(address, count)))
            session.remember(("store words", address, count, what), step)
        yield step
        for number, value in enumerate(values):
            self._overwrite(PhysAddr(address + WORD_BYTES * number), value)

    @operation
    def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> Generator[Step, int, int]:
        """Read and write one word in one step, as an atomic instruction does; the value before."""
        yield Step(f"rmw {what or hex(address)}", writes=self._world.mask(("word", address)))
        before = self._memory.read(address)
        self._overwrite(address, change(before))
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
        """Called while a step is performed: of what it announced it writes only `writes`, and all that it announced to
        read has decided so. FootprintError for what was not announced: whoever waits to go was chosen by that.

        Nothing is lost by knowing it so late: whoever changes what decides it conflicts with the step, and in another
        order it may touch something else of what was announced. So what the step announced to read stays in its
        footprint; a word that it announced to write, and has looked at, has to be named again.
        """
        world, session = self._world, self._session
        announced, mask = session.steps[-1], session.footprint
        read, written = mask(tuple(reads)), mask(tuple(writes))
        beyond = read & ~(announced.reads | announced.writes) | written & ~announced.writes
        if beyond:
            complaint = f"step `{announced.what}` touches {self._named(beyond)}, which it did not announce"
            self.refuse(FootprintError(complaint))
        step = session.steps[-1] = announced.narrowed(read | announced.reads, written)
        world.step = world.step and step
        forgotten = self._memory.narrow(announced, step) if isinstance(self._memory, AuditedMemory) else 0
        if forgotten:
            complaint = f"step `{announced.what}` has used {self._named(forgotten)}, and says that it touches it not"
            self.refuse(FootprintError(complaint))

    def _named(self, mask: int) -> str:
        """Resources as people should read them."""
        found = self._session.resources.names(mask)
        return ", ".join(
            f"word {one[1]:#x}" if isinstance(one, tuple) and one[0] == "word" else str(one) for one in found
        )

    def refuse(self, error: Exception) -> NoReturn:
        """Raise an error that counts also if the actor catches it: else the run would show what it does not."""
        self._world.tell(failed(self.name, self.name, error, self.now))
        try:
            raise error
        finally:
            del error  # this frame, which the error will refer to, would keep it alive and the world with it

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
        under a spin lock. MisuseError for a footprint that names nothing: nobody's step could end such a wait.
        """
        if sleeps and self.spinning:
            self.might_sleep(what)
        if not reads and not writes:
            complaint = f"{self.name} waits for `{what}` and names nothing that this depends on: give reads= or writes="
            self.refuse(MisuseError(complaint))
        mask, failed = self._session.footprint, list[BaseException]()
        yield Step(what, mask(tuple(reads)), mask(tuple(writes)), ready=_asked(until, failed, until), idle=idle)
        if failed:
            raise failed[0]

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
        read, mask, failed = self._memory.read, self._world.mask(("word", address)), list[BaseException]()
        yield Step(what, mask, ready=_asked(lambda: until(read(address)), failed, until), idle=idle)
        if failed:
            raise failed[0]
        self.waited_for(sum(1 << index for index, before in self._world.stores.get(address, ()) if not until(before)))
        return read(address)

    def waited_for(self, steps: int) -> None:
        """Say of the step that goes on that it could not have come before any of `steps`, a mask: all that changes what
        it waits for races with it, and what they found was not that."""
        if steps:
            self._world.waited_for[self._world.index] = steps

    @operation
    def poll_words(
        self, addresses: Sequence[PhysAddr], until: Callable[..., bool], what: str, *, idle: bool = False
    ) -> Generator[Step, int, list[int]]:
        """A busy wait, one step, that is not offered until several words of memory, given in order, satisfy `until`."""
        mask = self._session.footprint(tuple([("word", address) for address in addresses]))
        read, failed = self._memory.read, list[BaseException]()
        if not addresses:
            self.refuse(MisuseError(f"{self.name} waits for `{what}` and names no word"))
        yield Step(
            what, mask, ready=_asked(lambda: until(*[read(each) for each in addresses]), failed, until), idle=idle
        )
        if failed:
            raise failed[0]
        return [read(address) for address in addresses]

    @operation
    def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> Generator[Step, int, int]:
        """One outcome of `options`; it touches nothing but what the caller says that it looks at then.

        MisuseError if that is no number of at least 1. Of one there is nothing to choose, which is no step.
        """
        if not isinstance(options, SupportsIndex) or options < 1:
            complaint = f"{self.name} chooses `{what}` of {options!r}: give the number of options, at least 1"
            self.refuse(MisuseError(complaint))
        if options == 1:
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
            await called(name, main, cpu)

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

    def _overwrite(self, address: PhysAddr, value: int) -> None:
        """Write a word, and remember what was there: who polls it may have been kept waiting by that."""
        world = self._world
        world.stores.setdefault(address, []).append((world.index, self._memory.read(address)))
        self._memory.write(address, value)

    def acts(self, what: str) -> None:
        """Called before what is remembered of this cpu, such as that it holds a lock: refused to another actor."""
        world = self._world
        if world.current != self.number:
            other = world.actors[world.current].name
            self.refuse(MisuseError(f"{other} takes the step `{what}` of {self.name}'s cpu: each actor has its own"))

    def might_sleep(self, what: str) -> None:
        """Called before anything that can sleep: refused under a spin lock."""
        self.acts(what)
        if self.spinning:
            self.refuse(BrokenRule(f"{self.name} may sleep in `{what}` while it holds spin lock {self.spinning[-1]}"))


def called(name: str, main: Main, cpu: Cpu) -> Awaitable[None]:
    """What an actor's main function gives; MisuseError if that cannot be awaited."""
    made: object = main(cpu)
    if isinstance(made, CoroutineType) or isawaitable(made):
        return made
    raise MisuseError(
        f"{name} is no coroutine function, it returned {type(made).__name__}: write `async def`, with one `await` for "
        "each step",
        defined(main),
    )


def _asked(until: Callable[[], bool], failed: list[BaseException], given: object) -> Callable[[], bool]:
    """A condition that can be asked anywhere: if it raises, its step can be taken, and raises what is in `failed`.

    `given` is what the user wrote, for messages.
    """

    def ready() -> bool:
        failed.clear()
        try:
            answer = until()
            if answer is not True and is_put_off(answer):
                raise MisuseError(
                    f"a condition returned {type(answer).__name__}; it returns True or False", defined(given)
                )
            return answer
        except (KeyboardInterrupt, FootprintError):
            raise
        except BaseException as error:
            failed.append(error)
            return True

    return ready


def _words(address: PhysAddr, count: int) -> tuple[Resource, ...]:
    return tuple([("word", address + WORD_BYTES * number) for number in range(count)])
