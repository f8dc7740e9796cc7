"""A cpu: what an actor acts through. Every await on it is one step, announced with exactly what it touches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable, Sequence
from inspect import isawaitable
from types import CoroutineType
from typing import Any, SupportsIndex, TypeVar

from hw.bus import PhysAddr
from hw.memory import WORD_BYTES, BusError

from .events import Note
from .fetch import Fetch, Piece
from .looks import called as handed
from .misuse import no_part, no_word, not_asked, not_stored
from .ordering import Barriers, Depends, Made
from .places import defined
from .ports import Port
from .resources import shown
from .stage import Stage
from .step import MisuseError, Resource, Step, operation, perform
from .sync import Lock
from .waiting import WaitingThread

T = TypeVar("T")
Main = Callable[["Cpu"], Coroutine[Any, Any, None]]
"""An actor's main function."""
AddActor = Callable[[str, Main, bool], None]
"""Adds an actor: its name, its main function, and whether it is a daemon."""


class Cpu(Barriers, WaitingThread):
    """What an actor acts through: every await on it is one step. Implements `hw.bus.Bus` and `drivers.cpu.Cpu`."""

    __slots__ = ("_add_actor", "emit")

    def __init__(self, stage: Stage, number: int, name: str, add_actor: AddActor) -> None:
        super().__init__(stage, number, name)
        self._add_actor = add_actor
        self.emit = stage.emit

    @operation
    def load(self, address: PhysAddr, what: str = "", *, depends: Depends = ()) -> Generator[Step, int, int]:
        """Read one word of memory; `depends` says what the address is computed from (see `rcu_dereference`)."""
        yield self._known_step(Cpu._load_step, address, what)
        return self._memory.read(address)

    @operation
    def store(
        self, address: PhysAddr, value: int, what: str = "", *, depends: Depends = ()
    ) -> Generator[Step, int, None]:
        """Write one word of memory; `depends` says what value, address, or whether it comes to that are decided by."""
        yield self._known_step(Cpu._store_step, address, what)
        self._overwrite(address, value)

    @operation
    def load_words(self, address: PhysAddr, count: int, what: str) -> Generator[Step, int, Sequence[int]]:
        """Read neighbouring words that a protocol keeps everybody else away from."""
        read = self._memory.read
        yield self._known_step(Cpu._load_words_step, address, count, what)
        return [read(PhysAddr(address + WORD_BYTES * number)) for number in range(count)]

    async def load_apart(
        self, address: PhysAddr, count: int, pieces: Sequence[Piece], what: str, then: Sequence[Resource] = ()
    ) -> Sequence[int]:
        """Read `count` words: each piece by itself, in any order; what is in no piece in the first step."""
        self.acts(what)
        looks_at, add_actor = self._named(then), self._add_actor
        fetch = Fetch(self._stage, lambda name, read: add_actor(name, read, False), self.name, address, count, what)
        return await fetch.run(pieces, looks_at)

    @operation
    def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> Generator[Step, int, None]:
        """Write neighbouring words that a protocol keeps everybody else away from."""
        values = list(values)
        yield self._known_step(Cpu._store_words_step, address, len(values), what)
        for number, value in enumerate(values):
            self._overwrite(PhysAddr(address + WORD_BYTES * number), value)

    @operation
    def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> Generator[Step, int, int]:
        """Read and write one word in one step, as an atomic instruction does; the value before."""
        if self._stage.current != self.number:
            self.acts("rmw")
        if not callable(change):
            self.refuse(
                not_asked(f"rmw {what}".rstrip(), change, "what it makes of the value, such as lambda n: n + 1")
            )
        yield Step(self._text("rmw", address, what), writes=self._stage.mask(("word", address)))
        before = self._memory.read(address)
        self._overwrite(address, handed(change)(before))
        return before

    @operation
    def access(
        self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()
    ) -> Generator[Step, int, None]:
        """One step on named state that is not a single memory word."""
        session = self._session
        if self._stage.current != self.number:
            self.acts(what)
        key: tuple[Hashable, ...]
        try:
            key = (what, tuple(reads), tuple(writes))
            step = session.known.get(key)
        except TypeError:  # of no list, or of what has no hash
            key, step = (), None
        step = step or session.remember(key, Step(what, self._named(reads), self._named(writes)))
        yield step  # whether it was remembered is no matter of the state, of which this variable is a part

    @operation
    def atomically(
        self,
        what: str,
        do: Callable[[], T],
        *,
        reads: Sequence[PhysAddr | Resource] = (),
        writes: Sequence[PhysAddr | Resource] = (),
    ) -> Generator[Step, int, T]:
        """One step in which `do` looks and acts, such as an atomic instruction or what a lock inside a call protects.

        The footprint names all that `do` may touch: a number is a word of memory. What `do` returns is returned.
        """
        if self._stage.current != self.number:
            self.acts(what)
        yield Step(what, self._named(words_among(reads)), self._named(words_among(writes)))
        self._session.made_of(Made.PLAIN)
        return handed(do)()

    @operation
    def choose(self, what: str, options: int, reads: Sequence[Resource] = ()) -> Generator[Step, int, int]:
        """One outcome of `options`; it touches nothing but what the caller says that it looks at then.

        MisuseError if that is no number of at least 1. Of one there is nothing to choose, which is no step.
        """
        if not isinstance(options, SupportsIndex) or options < 1:
            complaint = f"{self.name} chooses `{what}` of {options!r}: give the number of options, at least 1"
            self.refuse(MisuseError(complaint))
        if self._stage.current != self.number:
            self.acts(what)
        if options == 1:
            return 0
        return (yield Step(what, self._named(reads), options=options))

    @operation
    def spawn(self, name: str, main: Main, *, daemon: bool = False) -> Generator[Step, int, None]:
        """One step after which a further actor exists."""
        session = self._session
        self.acts(f"spawn {name}")
        if not isinstance(name, str) or not callable(main):
            given = f"found cpu.spawn({shown(name)}, {shown(main)})"
            self.refuse(MisuseError(f'{given}: give a name and an uncalled `async def`, as cpu.spawn("child", child)'))
        yield self._known_step(Cpu._spawn_step, name)
        count = self._stage.actor_count  # which is known now, and not when the step was announced
        session.steps[-1] = self._known_step(Cpu._spawned_step, name, count)
        start = self._known_step(Cpu._starts_step, name, count)

        async def after_spawn(cpu: Cpu) -> None:
            await perform(start)
            await called(name, main, cpu)

        self._add_actor(name, after_spawn, daemon)

    # Not `async`: what they return is awaited, and a coroutine around it would cost as much as a third of a step.

    def lock(self, lock: Lock) -> Coroutine[Any, Any, None]:
        """Take a lock."""
        try:
            return lock.acquire(self)
        except (AttributeError, TypeError):
            self.refuse(no_part("lock", lock))

    def unlock(self, lock: Lock) -> Coroutine[Any, Any, None]:
        """Give a lock back."""
        try:
            return lock.release(self)
        except (AttributeError, TypeError):
            self.refuse(no_part("unlock", lock))

    def send(self, port: Port, message: object) -> Coroutine[Any, Any, None]:
        """Put a message on a port."""
        if self._stage.current != self.number:
            self.acts("send")
        try:
            return port.send(message)
        except (AttributeError, TypeError):
            self.refuse(no_part("send", port))

    def receive(self, port: Port) -> Coroutine[Any, Any, Any]:
        """Take the next message from a port."""
        try:
            return port.receive(self)
        except (AttributeError, TypeError):
            self.refuse(no_part("receive", port))

    async def note(self, subject: str, value: int | str = 0) -> None:
        """One step that records a Note about `subject`; MisuseError for a value that is no whole number and no text."""
        if not isinstance(value, int | str) or not isinstance(subject, str):
            self.refuse(
                MisuseError(
                    f"cpu.note({subject!r}, {shown(value)}): a note is about a text; its value is a number or a text"
                )
            )
        await self.access(f"note {subject} = {value}", writes=(("note", subject),))
        self.emit(Note(subject=subject, value=value))

    # Steps that are the same in every run: what a key of `Session.known` begins with makes the step of the rest of it.

    def _known_step(self, *key: Any) -> Step:
        """The step that the first of `key` makes of the others; it is made once in a session."""
        known = self._session.known
        step: Step = known.get(key) or self._session.remember(key, key[0](self, *key[1:]))
        if self._stage.current != self.number:
            self.acts(step.what)
        return step

    def _load_step(self, address: PhysAddr, what: str) -> Step:
        return Step(self._text("load", address, what), reads=self._stage.mask(("word", address)))

    def _store_step(self, address: PhysAddr, what: str) -> Step:
        return Step(self._text("store", address, what), writes=self._stage.mask(("word", address)))

    def _load_words_step(self, address: PhysAddr, count: int, what: str) -> Step:
        return Step(f"load {what}", reads=self._session.footprint(_words(address, count)))

    def _store_words_step(self, address: PhysAddr, count: int, what: str) -> Step:
        return Step(f"store {what}", writes=self._session.footprint(_words(address, count)))

    def _spawn_step(self, name: str) -> Step:
        return Step(f"spawn {name}")

    def _spawned_step(self, name: str, number: int) -> Step:
        return Step(f"spawn {name}", gives=self._stage.mask(("spawn", number)))

    def _starts_step(self, name: str, number: int) -> Step:
        return Step(f"{name} starts", takes=self._stage.mask(("spawn", number)))

    def _text(self, verb: str, address: PhysAddr, what: str) -> str:
        """What a step does to a word, as text; MisuseError if that is none."""
        if not isinstance(address, int):
            self.refuse(no_word(f"{verb} {what}".rstrip(), address))
        name = self._session.words.get(address) or what or hex(address)
        # A label of a word or two calls it otherwise; a longer one is a sentence, and says why.
        is_sentence = what.count(" ") > 1 and name not in what and what.partition(" = ")[0] not in name
        said = f"{name} ({what})" if is_sentence else what or name
        return said if said.startswith(f"{verb} ") else f"{verb} {said}"

    def _called(self, what: str, verb: str, address: PhysAddr) -> str:
        return what or f"{verb} {self._session.words.get(address) or hex(address)}"

    def _overwrite(self, address: PhysAddr, value: int) -> None:
        """Write a word, and remember what was there: who polls it may have been kept waiting by that."""
        stage, memory = self._stage, self._memory
        try:
            before = memory.read(address)
            memory.write(address, value)
        except (BusError, TypeError) as error:
            why = not_stored(stage.session.steps[-1].what, address, value, str(error))
            if isinstance(why, MisuseError):
                self.refuse(why)
            raise why from None
        stage.stores.setdefault(address, []).append((stage.index, before))


def called(name: str, main: Main, cpu: Cpu) -> Awaitable[None]:
    """What an actor's main function gives; MisuseError if that cannot be awaited."""
    made: object = main(cpu)
    if isinstance(made, CoroutineType) or isawaitable(made):
        return made if cpu.processor is None or cpu.in_interrupt else cpu.processor.carry(cpu, made)
    raise MisuseError(
        f"{name} is no coroutine function, it returned {type(made).__name__}: write `async def`, with one `await` for "
        "each step",
        defined(main),
    )


def words_among(named: Sequence[PhysAddr | Resource]) -> Sequence[Resource]:
    """Resources, of which a number is a word of memory."""
    return [("word", each) if type(each) is int else each for each in named] if type(named) in (list, tuple) else named


def _words(address: PhysAddr, count: int) -> tuple[Resource, ...]:
    return tuple([("word", address + WORD_BYTES * number) for number in range(count)])
