"""The accesses of a run: of each word its stores in coherence order and who read each, and what must be before what.

Actors run in program order, but a load may return an older value than the newest, and a store may be put behind none
but an older one, unless something that must be in order says otherwise. What must be is *ordered-before* of the Armv8
model: who reads comes after the store that it reads (of another CPU) and before the one that follows it, stores of one
word come one after the other, and each CPU keeps in order what its model says (`views`). An execution is possible if
that has no circle, whatever the order in which actors ran. So whether two steps on different words commute depends on
neither: of each combination of what they may choose, either both orders allow it or none.

An access that chose as if it had been made earlier is left out if it could have been: if nothing but the accesses that
it pretends to precede keeps its step behind theirs. Some other order of the actors, in which it *is* made earlier,
comes to the same execution. (Of all orders that come to it take one with the fewest such pairs: it has none that could
be exchanged.) That is a matter of what happened before what in the run, so equivalent runs offer the same choices.
What stays out are executions in which program order and reads-from form a circle: a load that sees what only its own
CPU's later store makes possible (*load buffering*).
"""

from __future__ import annotations

from hw.bus import PhysAddr

from ..causality import Causality
from ..session import Session
from ..step import Step
from .views import Views

INITIAL = -1
"""The number of the store that was there before the run; it is before everything."""


class Word:
    """One word: its stores, from the oldest to the newest."""

    __slots__ = ("atomic", "dependencies", "is_in_order", "readers", "stores", "values")

    def __init__(self, value: int) -> None:
        self.stores = [INITIAL]
        """The number of each access."""
        self.values = [value]
        self.readers = [0]
        """Who read each, as masks of accesses."""
        self.atomic = [False]
        """Whether each is that of a read-modify-write, which nothing comes between it and the one before."""
        self.is_in_order = True
        """Whether stores, and the loads of each, were made in the order of their places."""
        self.dependencies: dict[int, int] = {}
        """What address and value of a store depended on: who gets it forwarded comes after that."""

    @property
    def newest(self) -> int:
        """The place of the newest store."""
        return len(self.stores) - 1


class Accesses:
    """All accesses of one run."""

    def __init__(self, session: Session) -> None:
        self.past: list[int] = []
        """Of each access all that must be before it, and itself, as a mask."""
        self.views: dict[int, Views] = {}
        """Of each actor."""
        self.given: dict[int, int] = {}
        """What comes with each thing that was given, by its bit; and with changes of named state."""
        self.last: dict[int, int] = {}
        """Of each actor the last step that is over."""
        self._words: dict[PhysAddr, Word] = {}
        self._owner: list[Views] = []
        self._session = session
        self._steps: list[int] = []
        """In which step of the run each access was made."""
        self._causality = Causality()

    def word(self, address: PhysAddr, value: int) -> Word:
        """The word at an address; `value` is what memory holds, should nobody have stored to it yet."""
        word = self._words.get(address)
        if word is None:
            word = self._words[address] = Word(value)
        return word

    def known(self, address: PhysAddr) -> Word | None:
        """The word at an address, if anybody accessed it in this run."""
        return self._words.get(address)

    def forget(self, first: int, last: int) -> None:
        """The words of these addresses have been cleared for everybody, as a frame is before it is handed out."""
        for address in [address for address in self._words if first <= address < last]:
            del self._words[address]
            for views in self.views.values():
                views.seen.pop(address, None)
                views.own.pop(address, None)

    # What is possible

    def floor(self, views: Views, address: PhysAddr, word: Word) -> int:
        """The place of the store that a CPU saw last: neither its loads nor its stores go back behind it."""
        seen = views.seen.get(address, INITIAL)
        if seen == word.stores[-1]:
            return word.newest
        return 0 if seen == INITIAL else word.stores.index(seen)

    def oldest(self, word: Word, floor: int, before: int) -> int:
        """The place of the oldest store that can be read (or followed) by an access that comes after `before`."""
        stores, place = word.stores, word.newest
        while place > floor and not before >> stores[place] & 1:
            place -= 1
        return place

    def oldest_load(self, word: Word, floor: int, before: int, actor: int, step: Step, own: int) -> int:
        """As `oldest`, without what a load that is made earlier reads as well; `own` is the mask of the word."""
        oldest = self.oldest(word, floor, before)
        return oldest if oldest == word.newest else self._only_now(word, oldest, actor, step, own, stores=False)

    def oldest_store(self, word: Word, floor: int, before: int, actor: int, step: Step, own: int) -> int:
        """As `oldest`, without what a store that is made earlier follows as well; `own` is the mask of the word."""
        oldest = self.oldest(word, floor, before)
        return oldest if oldest == word.newest else self._only_now(word, oldest, actor, step, own, stores=True)

    def _only_now(self, word: Word, oldest: int, actor: int, step: Step, own: int, *, stores: bool) -> int:
        """The lowest place at which whatever the access pretends to precede comes before its step in any case.

        That is what its actor did and took, and all that its step conflicts with but for the word itself.
        """
        newest, others = word.newest, (step.reads | step.writes) & ~own
        is_alone = word.is_in_order and not (others or step.takes)
        if is_alone and self.last.get(actor, INITIAL) < self._steps[word.stores[-1]]:
            return newest  # it has taken no step since
        causality = self._caught_up()
        before = causality.closure(causality.before(actor), causality.gave_any(step.takes))
        if others:
            others_only = Step(step.what, step.reads & ~own, step.writes & ~own)
            before = causality.closure(before, causality.conflicts(others_only))
        kept = [before]  # what the step comes after if its access has its place behind the first so many stores
        for place in range(newest):
            kept.append(causality.closure(kept[-1], self._steps_at(word, place, stores=stores)))
        passed, place = 0, newest
        while place > oldest:
            passed |= self._steps_at(word, place, stores=stores)
            if passed & ~kept[place]:
                break
            place -= 1
        return place

    def _steps_at(self, word: Word, place: int, *, stores: bool) -> int:
        """The steps that stored at a place, and if the access `stores` also those that read there.

        The load of a read-modify-write goes with its store, which has the place behind.
        """
        found = 1 << self._steps[word.stores[place]] if place else 0
        if stores:
            atomic = place < word.newest and word.atomic[place + 1]
            behind = 1 << self._steps[word.stores[place + 1]] if atomic else 0
            readers = word.readers[place]
            while readers:
                low = readers & -readers
                found |= (1 << self._steps[low.bit_length() - 1]) & ~behind
                readers ^= low
        return found

    def _caught_up(self) -> Causality:
        """What happened before what, up to the step that is about to be taken."""
        causality, session = self._causality, self._session
        for index in range(len(causality.past), len(session.steps)):
            causality.add(session.actors[index], session.steps[index])
        return causality

    # What happens

    def load(self, views: Views, address: PhysAddr, word: Word, place: int, before: int, *, acquires: bool) -> int:
        """A load of the store at `place` that comes after `before`; the mask of all that is before it, and itself."""
        store = word.stores[place]
        if store != INITIAL:
            if self._owner[store] is not views or (acquires and word.atomic[place]):
                before |= self.past[store]
            else:
                before |= word.dependencies.get(store, 0)
        access = self._new(views, before)
        word.readers[place] |= 1 << access
        views.seen[address] = store
        if place < len(word.stores) - 1:
            word.is_in_order = False
            self._order(self.past[access], word.stores[place + 1])
        return access

    def store(
        self,
        views: Views,
        address: PhysAddr,
        word: Word,
        place: int,
        value: int,
        before: int,
        *,
        atomic: bool = False,
        dependencies: int = 0,
    ) -> int:
        """A store right behind that at `place` which comes after `before`; its number."""
        past, stores, readers = self.past, word.stores, word.readers[place]
        is_newest = place == len(stores) - 1
        if stores[place] != INITIAL:
            before |= past[stores[place]]
        while readers:
            low = readers & -readers
            before |= past[low.bit_length() - 1]
            readers ^= low
        access = self._new(views, before)
        stores.insert(place + 1, access)
        word.values.insert(place + 1, value)
        word.readers.insert(place + 1, 0)
        word.atomic.insert(place + 1, atomic)
        if dependencies:
            word.dependencies[access] = dependencies
        views.seen[address] = access
        if not is_newest:
            word.is_in_order = False
            self._order(past[access], stores[place + 2])
        return access

    def _new(self, views: Views, before: int) -> int:
        access = len(self.past)
        self.past.append(before | 1 << access)
        self._owner.append(views)
        self._steps.append(len(self._session.steps) - 1)
        return access

    def _order(self, before: int, access: int) -> None:
        """An access that was made earlier comes after `before`, and so does all that comes after it."""
        past, bit = self.past, 1 << access
        if not before & ~past[access]:
            return
        for each, mask in enumerate(past):
            if mask & bit:
                past[each] = mask | before
        for key, mask in self.given.items():
            if mask & bit:
                self.given[key] = mask | before
        for views in self.views.values():
            views.grow(bit, before)
        for word in self._words.values():
            for store, mask in word.dependencies.items():
                if mask & bit:
                    word.dependencies[store] = mask | before
