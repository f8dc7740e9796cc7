"""Loads and stores on memory that is not sequentially consistent: their steps are those of any cpu.

Where more than one store can be read, or followed, which is a choice of the step: 0 the newest, *n* the one *n* older.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hw.bus import PhysAddr
from hw.fields import WORD_MASK
from hw.memory import FRAME_SHIFT, MMIO, WORD_BYTES, BusError

from ..cpu import AddActor, Cpu, T, words_among
from ..failures import failed
from ..looks import called as handed
from ..misuse import not_stored
from ..ordering import Depends, Fence, Loaded, Made
from ..stage import Stage
from ..step import MemoryStep, MisuseError, Resource, Step, operation
from .accesses import Word
from .memory import WatchedMemory
from .views import Views

MOST_OUTCOMES = 254
"""Of one step: a schedule keeps each choice in a byte, and one of them is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OlderStore:
    """An access that has its place behind an older store than the newest."""

    what: str
    newer: int
    """How many stores are newer."""
    is_load: bool

    @property
    def label(self) -> str:
        """How people should read it."""
        stores = f"{self.newer} newer store{'s' if self.newer > 1 else ''}"
        return f"{self.what}: does not see {stores}" if self.is_load else f"{self.what}: comes before {stores}"


class Target:
    """One word that a step is about to access, and what is found of it when the step is chosen."""

    __slots__ = ("address", "before", "depends", "is_register", "oldest", "ordered", "value", "word")

    def __init__(self, address: PhysAddr, depends: Depends = (), value: int = 0, *, ordered: bool = False) -> None:
        self.address = address
        self.depends = depends
        self.value = value
        """What is to be stored."""
        self.ordered = ordered
        """Whether it is a load that acquires, or a store that releases."""
        self.word: Word
        self.is_register = False
        self.before = 0
        """What the access comes after."""
        self.oldest = -1
        """The place of the oldest store that it may read, or follow; -1 where there is no memory."""


class Accessing(Cpu):
    """Loads and stores that are as the views of a cpu say."""

    __slots__ = ("_accesses", "_passing", "_watched", "views")

    def __init__(self, stage: Stage, number: int, name: str, add_actor: AddActor, views: Views) -> None:
        super().__init__(stage, number, name, add_actor)
        self._watched = cast(WatchedMemory, stage.memory)
        self._accesses = self._watched.accesses
        self._passing = self._watched.passing
        self.views = views
        self._accesses.views[number] = views

    def _fence(self, fence: Fence) -> None:
        """A barrier, which is no step."""
        self._passing.catch_up()
        self.views.fence(fence)

    # Loads

    def load(self, address: PhysAddr, what: str = "", *, depends: Depends = ()) -> Coroutine[Any, Any, int]:
        """Read one word of memory."""
        if depends != ():
            self._check(depends)
        return self._load(address, what, depends)

    def load_acquire(self, address: PhysAddr, what: str = "") -> Coroutine[Any, Any, int]:
        """smp_load_acquire."""
        return self._load(address, what, (), acquires=True)

    def rcu_dereference(self, address: PhysAddr, what: str = "") -> Coroutine[Any, Any, int]:
        """A load whose value remembers it."""
        return self._load(address, what, (), remembers=True)

    @operation
    def _load(
        self, address: PhysAddr, what: str, depends: Depends, *, acquires: bool = False, remembers: bool = False
    ) -> Generator[Step, int, int]:
        plain = self._known_step(Cpu._load_step, address if type(address) is int else _number(address), what)
        target = Target(address, depends, ordered=acquires)
        step = MemoryStep(plain.what, plain.reads, 0, self._find, target)
        step.plain = plain
        outcome = yield step
        if target.oldest < 0:
            self._watched.peek(address)  # a bus error is the actor's
        place = len(target.word.stores) - 1 - outcome
        access = self._loads(target, place, acquires=acquires)
        self._became(outcome)
        value = target.word.values[place]
        return Loaded(value, (access,)) if remembers else value

    def load_words(self, address: PhysAddr, count: int, what: str) -> Coroutine[Any, Any, Sequence[int]]:
        """Read neighbouring words: each may be older than it could be."""
        words = [PhysAddr(address + WORD_BYTES * number) for number in range(count)]
        return self._load_all(Step(f"load {what}", self._mask(words)), words)

    @operation
    def _load_all(self, plain: Step, words: Sequence[PhysAddr]) -> Generator[Step, int, list[int]]:
        """One step that reads several words."""
        targets = [Target(address) for address in words]
        outcome = yield MemoryStep(
            plain.what, plain.reads, 0, self._find_all, targets, takes=plain.takes, gives=plain.gives
        )
        values, left = list[int](), outcome
        for target in targets:
            if target.oldest < 0:
                self._watched.peek(target.address)
            left, back = divmod(left, target.word.newest - target.oldest + 1)
            place = target.word.newest - back
            values.append(target.word.values[place])
            self._loads(target, place)
        self._became(outcome)
        return values

    def access(
        self, what: str, *, reads: Sequence[Resource] = (), writes: Sequence[Resource] = ()
    ) -> Coroutine[Any, Any, None]:
        """One step on named state; what it then reads of memory among `reads` may be older than it could be.

        Registers are where the device is: it sees what is in them.
        """
        names = reads if type(reads) in (list, tuple) else ()
        words = [name[1] for name in names if type(name) is tuple and name[:1] == ("word",) and name not in writes]
        targets = [Target(address) for address in words if self._is_memory(address)]
        if targets:
            return self._access(what, reads, writes, targets)
        return super().access(what, reads=reads, writes=writes)

    async def atomically(
        self,
        what: str,
        do: Callable[[], T],
        *,
        reads: Sequence[PhysAddr | Resource] = (),
        writes: Sequence[PhysAddr | Resource] = (),
    ) -> T:
        """One step in which `do` looks and acts: words that it only looks at may be older than they could be."""
        await self.access(what, reads=words_among(reads), writes=words_among(writes))
        self._session.made_of(Made.PLAIN)
        return handed(do)()

    @operation
    def _access(
        self, what: str, reads: Sequence[Resource], writes: Sequence[Resource], targets: Sequence[Target]
    ) -> Generator[Step, int, None]:
        self.acts(what)
        outcome = yield MemoryStep(what, self._named(reads), self._named(writes), self._find_all, targets)
        self._watched.older, self._watched.older_in = {}, len(self._session.steps)
        left = outcome
        for target in targets:
            left, back = divmod(left, target.word.newest - target.oldest + 1)
            self._watched.older[target.address] = target.word.values[target.word.newest - back]
            self._loads(target, target.word.newest - back)
        self._passing.words_are_read()
        self._recorded(outcome)

    def _find_all(self, step: MemoryStep) -> int:
        options = 1
        for target in step.target:
            options *= self._found(target, step)
        return self._choosable(options)

    def _choosable(self, options: int) -> int:
        """So many outcomes, unless they are more than a schedule can say: then the run is no use, and ends."""
        if options <= MOST_OUTCOMES:
            return options
        error = MisuseError(
            f"an access has {options} outcomes, and a step at most {MOST_OUTCOMES}: is a barrier missing?"
        )
        self._stage.tell(failed(self.name, self.name, error, self.now))
        return 1

    def _find(self, step: MemoryStep) -> int:
        """How many stores a load may read."""
        options = self._found(step.target, step)
        return options if options <= MOST_OUTCOMES else self._choosable(options)

    def _found(self, target: Target, step: MemoryStep) -> int:
        """How many stores one of the loads of a step may read."""
        word = self._accesses.known(target.address) or self._watched.word(target.address)
        if word is None:
            return 1
        self._passing.catch_up()
        target.word, views = word, self.views
        before = target.before = views.before_load(acquires=target.ordered) | self._known(target)
        newest = target.oldest = len(word.stores) - 1
        if newest and not before >> word.stores[-1] & 1:
            floor = self._accesses.floor(views, target.address, word)
            own = self._word(target.address)
            target.oldest = self._accesses.oldest_load(word, floor, before, self.number, step, own)
        return newest - target.oldest + 1

    def _loads(
        self,
        target: Target,
        place: int,
        *,
        acquires: bool = False,
        unseen: bool = False,
        atomic: bool = False,
    ) -> int:
        """The load itself; its number."""
        views, address, accesses = self.views, target.address, self._accesses
        access = accesses.load(views, address, target.word, place, target.before, acquires=acquires)
        past = accesses.past[access]
        views.load(address, past, acquires=acquires, unseen=unseen, atomic=atomic)
        if target.is_register or type(address) is not int:
            self._addressed(target, past)
        return access

    # Stores

    def store(
        self, address: PhysAddr, value: int, what: str = "", *, depends: Depends = ()
    ) -> Coroutine[Any, Any, None]:
        """Write one word of memory."""
        if depends != ():
            self._check(depends)
        return self._store(address, value, what, depends)

    def store_release(self, address: PhysAddr, value: int, what: str = "") -> Coroutine[Any, Any, None]:
        """smp_store_release."""
        return self._store(address, value, what, (), releases=True)

    @operation
    def _store(
        self, address: PhysAddr, value: int, what: str, depends: Depends, *, releases: bool = False
    ) -> Generator[Step, int, None]:
        plain = self._known_step(Cpu._store_step, address if type(address) is int else _number(address), what)
        target = Target(address, depends, value, ordered=releases)
        step = MemoryStep(plain.what, 0, plain.writes, self._find_followed, target)
        step.plain = plain
        outcome = yield step
        if target.oldest < 0:
            self._watched.peek(address)
        self._refused(plain.what, address, value)
        word = target.word
        place = len(word.stores) - 1 - outcome
        if outcome and word.atomic[place + 1]:
            place = word.newest  # nothing comes between the load and the store of an atomic operation
        self._stores(target, place, releases=releases)
        self._became(outcome)

    @operation
    def store_words(self, address: PhysAddr, values: Sequence[int], what: str) -> Generator[Step, int, None]:
        """Write neighbouring words that a protocol keeps everybody else away from: each store is the newest."""
        values = list(values)
        words = [PhysAddr(address + WORD_BYTES * number) for number in range(len(values))]
        yield Step(f"store {what}", writes=self._mask(words))
        self._passing.before_last()
        for each, value in zip(words, values, strict=True):
            self._refused(f"store {what}", each, value)
            target = Target(each, value=value)
            target.word = self._accesses.known(each) or self._watched.known_word(each)
            target.before = self.views.before_store(each, releases=False) | self._known(target)
            self._stores(target, target.word.newest)
        self._passing.accessed()

    def _refused(self, what: str, address: PhysAddr, value: int) -> None:
        """What a store that memory does not take comes to."""
        if type(value) is int and 0 <= value <= WORD_MASK and self._accesses.known(address) is not None:
            return
        try:
            self._watched.refuse(address, value)
        except (BusError, TypeError) as error:
            why = not_stored(what, address, value, str(error))
            if isinstance(why, MisuseError):
                self.refuse(why)
            raise why from None

    def _find_followed(self, step: MemoryStep) -> int:
        """How many stores a store may come right behind."""
        target: Target = step.target
        address = target.address
        word = self._accesses.known(address) or self._watched.word(address)
        if word is None:
            return 1
        self._passing.catch_up()
        target.word, views = word, self.views
        before = views.before_store(address, releases=target.ordered) | self._known(target)
        before = target.before = before | self._remembered(target.value)
        newest = target.oldest = len(word.stores) - 1
        if newest and not before >> word.stores[-1] & 1:
            floor = self._accesses.floor(views, address, word)
            target.oldest = self._accesses.oldest_store(word, floor, before, self.number, step, self._word(address))
        return self._choosable(newest - target.oldest + 1)

    def _stores(self, target: Target, place: int, *, releases: bool = False, atomic: bool = False) -> None:
        """The store itself."""
        views, accesses, word = self.views, self._accesses, target.word
        address, value = target.address, target.value
        if place == word.newest:
            self._watched.poke(address, value)
        dependencies = self._remembered(address) | self._remembered(value)
        access = accesses.store(
            views, address, word, place, int(value), target.before, atomic=atomic, dependencies=dependencies
        )
        past = accesses.past[access]
        views.store(address, past, releases=releases, atomic=atomic)
        if target.is_register or type(address) is not int:
            self._addressed(target, past)

    # What an access depends on

    def _known(self, target: Target) -> int:
        """What an access comes after, beyond what any does: what its address depends on, and others of its device."""
        address, depends = target.address, target.depends
        before = 0 if type(address) is int else self._remembered(address)
        if depends != ():
            for each in (depends,) if isinstance(depends, int) else depends:
                before |= self._remembered(each)
        if self._memory.owner[address >> FRAME_SHIFT] == MMIO:
            target.is_register = True
            before |= self.views.devices.get(address >> FRAME_SHIFT, 0) | self.views.branches
        return before

    def _check(self, depends: Depends) -> None:
        """MisuseError for a dependency on what nobody can know."""
        for each in (depends,) if isinstance(depends, int) else depends:
            if not isinstance(each, Loaded):
                complaint = f"depends={each!r}: give what `rcu_dereference` gave, or what was computed from it"
                self.refuse(MisuseError(complaint))

    def _remembered(self, number: int) -> int:
        """The loads that a number comes from, and what is before them."""
        if type(number) is int or not isinstance(number, Loaded):
            return 0
        before = 0
        for load in number.loads:
            before |= self._accesses.past[load]
        return before

    def _addressed(self, target: Target, past: int) -> None:
        """An access was made: remember what its address depended on, and that it was of this device."""
        address = target.address
        self.views.addresses |= self._remembered(address)
        if target.is_register:
            devices, frame = self.views.devices, address >> FRAME_SHIFT
            devices[frame] = devices.get(frame, 0) | past

    def _became(self, outcome: int) -> None:
        """Put what became of the step, which is an access and nothing else, into the record."""
        self._recorded(outcome)
        self._passing.accessed()

    def _recorded(self, outcome: int) -> None:
        """Put into the record how many outcomes the step had, and which it took."""
        session = self._session
        step = cast(MemoryStep, session.steps[-1])  # not the one that was made, if it is known to share more
        if step.last == 1 and step.plain is not None:
            session.steps[-1] = step.plain
            return
        if outcome:
            self.emit(OlderStore(what=step.what, newer=outcome, is_load=bool(step.reads)))
        if step.ready is not None or step.takes or step.gives:
            session.steps[-1] = step.taken(outcome)
        else:
            key = (step.what, step.reads, step.writes, step.last, outcome)
            session.steps[-1] = session.known.get(key) or session.remember(key, step.taken(outcome))

    def _is_memory(self, address: PhysAddr) -> bool:
        return self._watched.answers(address) and self._memory.owner[address >> FRAME_SHIFT] != MMIO

    def _word(self, address: PhysAddr) -> int:
        """The mask of a word, whose address may remember a load."""
        return self._stage.mask(("word", address if type(address) is int else int(address)))

    def _mask(self, words: Sequence[PhysAddr]) -> int:
        return self._session.footprint(tuple([("word", int(address)) for address in words]))


def _number(address: PhysAddr) -> PhysAddr:
    """An address without what it remembers; what is none, as it is."""
    return PhysAddr(int(address)) if isinstance(address, Loaded) else address
