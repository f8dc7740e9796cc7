"""A cpu on memory that is not sequentially consistent: atomic operations, waits and fetches, over loads and stores."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from functools import partial
from itertools import product
from typing import cast

from hw.bus import PhysAddr, Resource
from hw.memory import BusError

from ..fetch import Fetch, Piece
from ..looks import called as handed
from ..misuse import no_word, not_asked
from ..ordering import Loaded, Order, order_of
from ..step import MemoryStep, MisuseError, Step, TimeOut, operation
from ..waiting import asked
from .accessing import Accessing, Target


class WeakCpu(Accessing):
    """A cpu, or with `HardwareViews` views hardware."""

    __slots__ = ()

    # Atomic operations

    def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> Coroutine[object, object, int]:
        """Read and write one word in one step, fully ordered; one that changes nothing counts as one that failed."""
        if not callable(change):
            wanted = "what it makes of the value, such as lambda n: n + 1"
            self.refuse(not_asked(f"rmw {what}".rstrip(), change, wanted))

        def fails(now: int) -> bool:
            try:
                return change(now) == now
            except Exception:
                return True  # nothing is stored: who makes it gets to know

        return self._rmw(address, change, what, Order.FULL, fails)

    def _atomic(
        self,
        address: PhysAddr,
        change: Callable[[int], int],
        what: str,
        order: str,
        fails: Callable[[int], bool] | None = None,
        unseen: bool = False,
    ) -> Coroutine[object, object, int]:
        return self._rmw(address, change, what, order_of(order), fails or _never, unseen, remembers=True)

    @operation
    def _rmw(
        self,
        address: PhysAddr,
        change: Callable[[int], int],
        what: str,
        order: Order,
        fails: Callable[[int], bool],
        unseen: bool = False,
        remembers: bool = False,
    ) -> Generator[Step, int, int]:
        if self._stage.current != self.number:
            self.acts("rmw")
        target = Target(address)
        places: list[int] = []
        find = partial(self._find_changed, order, fails, places)
        text = self._text("rmw", address, what)
        outcome = yield MemoryStep(text, 0, self._word(address), find, target)
        self._watched.peek(address)
        word = target.word
        place = word.newest - outcome
        if place not in places:
            place = word.newest
        before = word.values[place]
        try:
            value = handed(change)(before)
        except BaseException:
            self._became(outcome)
            raise
        failed = fails(before)
        value = before if failed else value
        self._refused(text, address, value)
        acquires = order.acquires and not failed
        target.before |= self.views.before_load(acquires=acquires, atomic=True)
        access = self._loads(target, place, acquires=acquires, unseen=unseen, atomic=True)
        if not failed:
            views = self.views
            target.before = views.before_store(address, releases=order.releases, atomic=True)
            target.before |= self._accesses.past[access]
            target.value = value
            self._stores(target, place, releases=order.releases, atomic=True)
            if order is Order.FULL:
                views.full()
        self._became(outcome)
        return Loaded(before, (access,)) if remembers else before

    def _find_changed(self, order: Order, fails: Callable[[int], bool], places: list[int], step: MemoryStep) -> int:
        """How far back the stores reach that a read-modify-write may read; which of them it may is in `places`."""
        places.clear()
        target: Target = step.target
        views, accesses, address = self.views, self._accesses, target.address
        word = self._watched.word(address)
        if word is None:
            return 1
        self._passing.catch_up()
        target.word = word
        target.before = views.before_load(acquires=False, atomic=True) | self._known(target)
        floor, newest = accesses.floor(views, address, word), word.newest
        own = self._word(address)
        read = accesses.oldest_load(word, floor, target.before, self.number, step, own)
        if read == newest:
            return 1
        behind = target.before | views.before_load(acquires=order.acquires, atomic=True)
        behind |= views.before_store(address, releases=order.releases, atomic=True)
        followed = accesses.oldest_store(word, floor, behind, self.number, step, own)
        for place in range(newest - 1, min(read, followed) - 1, -1):
            if fails(word.values[place]):
                if place >= read:
                    places.append(place)
            elif place >= followed and not word.atomic[place + 1]:
                places.append(place)
        return self._choosable(newest - min(places, default=newest) + 1)

    # Waits

    def poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        idle: bool = False,
        sleeps: bool = True,
    ) -> Coroutine[object, object, int]:
        """Wait until a store of a word satisfies `until` and is seen; the value that did."""
        found = self._poll(address, until, what, idle, sleeps)
        return cast(Coroutine[object, object, int], found)

    async def poll_timeout(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        time_out: TimeOut | None = None,
        idle: bool = False,
        sleeps: bool = True,
    ) -> int | None:
        """As `poll`, but None if its time is over first; a step, or one for each look."""
        looks = self.looks(time_out)
        if not looks:
            return await self._poll(address, until, what, idle, sleeps, times_out=True)
        self._may_wait(what, sleeps)
        for _ in range(looks):
            value = await self.load(address, what)
            if until(value):
                return value
        return None

    @operation
    def _poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        idle: bool,
        sleeps: bool,
        times_out: bool = False,
    ) -> Generator[Step, int, int | None]:
        if sleeps and self.spinning:
            self.might_sleep(what)
        if not isinstance(address, int):
            self.refuse(no_word(what, address))
        accesses, views, target = self._accesses, self.views, Target(address)
        failed: list[BaseException] = []
        places: list[int] = []

        def satisfied() -> bool:
            word = accesses.known(address)
            if word is None:
                return until(self._watched.peek(address))
            # Each is asked: what `until` looks at beyond the word is noted here, and `count` asks it again.
            answers = [until(value) for value in word.values[accesses.floor(views, address, word) :]]
            return any(answers)

        def count(step: MemoryStep) -> int:
            places.clear()
            options = self._find(step)
            if failed:
                return 1
            newest = target.word.newest
            places.extend(place for place in range(newest, newest - options, -1) if until(target.word.values[place]))
            return newest - min(places, default=newest) + 1

        while True:
            ready = asked(satisfied, failed, until)
            outcome = yield MemoryStep(
                what, self._word(address), 0, count, target, ready=ready, idle=idle, times_out=times_out
            )
            if failed:
                raise failed[0]
            if times_out and not satisfied():
                return None  # it has seen nothing new, so nothing comes before what it does now
            newest = target.word.newest
            seen = newest - outcome in places
            place = newest - outcome if seen else newest
            self.views.branches |= accesses.past[self._loads(target, place)]
            self._became(outcome)
            if seen or newest in places:
                return target.word.values[place]

    @operation
    def poll_words(
        self, addresses: Sequence[PhysAddr], until: Callable[..., bool], what: str, *, idle: bool = False
    ) -> Generator[Step, int, list[int]]:
        """A busy wait that ends once the newest values satisfy `until`; what it gives may be older, if that does."""
        peek, failed = self._watched.peek, list[BaseException]()
        found: list[tuple[int, ...]] = []
        if not addresses:
            self.refuse(MisuseError(f"{self.name} waits for `{what}` and names no word"))
        targets = [Target(address) for address in addresses]

        def count(step: MemoryStep) -> int:
            found.clear()
            if failed:
                return 1
            for target in targets:
                self._found(target, step)
            places = [range(target.word.newest, target.oldest - 1, -1) for target in targets]
            newest = tuple(each[0] for each in places)
            found.extend(each for each in product(*places) if each == newest or satisfy(each))
            return self._choosable(len(found))

        def satisfy(places: Sequence[int]) -> bool:
            try:
                return until(*[target.word.values[place] for target, place in zip(targets, places, strict=True)])
            except Exception:
                return True  # who sees that gets to know

        ready = asked(lambda: until(*[peek(each) for each in addresses]), failed, until)
        outcome = yield MemoryStep(what, self._mask(addresses), 0, count, targets, ready=ready, idle=idle)
        if failed:
            raise failed[0]
        values = []
        for target, place in zip(targets, found[outcome], strict=True):
            values.append(target.word.values[place])
            self.views.branches |= self._accesses.past[self._loads(target, place)]
        self._became(outcome)
        if outcome:
            until(*values)
        return values

    async def load_apart(
        self, address: PhysAddr, count: int, pieces: Sequence[Piece], what: str, then: Sequence[Resource] = ()
    ) -> Sequence[int]:
        """Read `count` words: each piece by itself, in any order."""
        fetch = WeakFetch(self, address, count, what)
        return await fetch.run(pieces, self._session.footprint(tuple(then)))


class WeakFetch(Fetch):
    """A fetch whose pieces are read as the views of its reader allow."""

    def __init__(self, cpu: WeakCpu, address: PhysAddr, count: int, what: str) -> None:
        add_actor = cpu._add_actor
        super().__init__(cpu._stage, lambda name, read: add_actor(name, read, False), cpu.name, address, count, what)
        self._cpu = cpu

    async def perform(self, step: Step, words: Sequence[PhysAddr], reader: object) -> tuple[Step, list[int]]:
        """One step of the fetch."""
        cpu = cast(WeakCpu, reader or self._cpu)
        cpu.views = cpu._accesses.views[cpu.number] = self._cpu.views
        try:
            values = await cpu._load_all(step, words)
        except BusError as error:
            self._error, values = error, []
        return cpu._session.steps[-1], values


def _never(_: int) -> bool:
    return False
