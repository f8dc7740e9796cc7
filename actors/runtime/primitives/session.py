"""A session: what outlives a run, so that a run need not make it again. No choice ever reads it.

Resources keep their bits, so masks compare across runs; ports and locks keep their steps and are lent to one world
after the other; the memory of a world that is gone is cleared for the next.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable
from sys import getrefcount
from typing import Any, ClassVar, Protocol, TypeVar

from hw.memory import Memory

from .ordering import Made
from .resources import FootprintTable, ResourceTable
from .step import Step

_REMEMBERED = 20_000
"""Steps that are kept: a scenario that names each step differently must not fill the memory."""
FRESH = 64
"""After so many fresh memories the collector is called: it counts objects, and does not know that the memory of a world
that refers to itself is worth thousands of them."""
_OURS = 3
"""References to a memory that nobody else has: the list's, the loop's and the count's own."""


class LentPart(Protocol):
    """A part of a world that a session lends: a port, a lock."""

    space: ClassVar[str]
    """What its resources begin with: no two parts of one world have the same name in one space."""
    lent: int
    """To which world, counted from 1."""

    def renew(self) -> None:
        """Return to the initial state: another world begins."""
        ...


PartT = TypeVar("PartT", bound=LentPart)


class Session:
    """Bits of resources, steps that are always the same, and parts that are lent. One world at a time uses it."""

    def __init__(self, *, audit: bool = False, of_user: bool = False, races: str = "default") -> None:
        self.audit = audit
        self.checks_memory = audit or of_user
        """Whether each access to memory is compared with what its step declared: always of what a user wrote."""
        self.races = races
        """What counts as a data race among accesses that a compiler made."""
        self.tells_marks = False
        """Whether there are such accesses, and each says whether it is marked."""
        self.resources = ResourceTable()
        self.footprint = FootprintTable(self.resources).__getitem__
        """The mask of several resources."""
        self.offers: dict[int, tuple[int, ...]] = {}
        """The actors of a mask, in order of their numbers."""
        self.steps: list[Step] = []
        """The record of the run that goes on: who performs a step may put in the last place what became of it."""
        self.actors: list[int] = []
        """Who took each of them."""
        self.orders: dict[int, Made] = {}
        """Of steps whose footprint does not say it, by their numbers: what they are to a memory model."""
        self.plans: dict[Hashable, object] = {}
        """By the masks of steps, what these are to a memory model."""
        self.performed: Step | None = None
        """The step that is being performed, where accesses are checked; None between steps."""
        self.known: dict[Hashable, Step] = {}
        """Steps that are the same in every run, by what makes them so; nobody may change one."""
        self.words: dict[int, str] = {}
        """Of each word that has a name, by its address."""
        self._parts: dict[Hashable, Any] = {}
        self._named: dict[tuple[str, Hashable], int] = {}
        """The world that was last lent a part of that space and name."""
        self._worlds = 0
        self._memories: list[Memory] = []
        self._fresh = 0

    def begin(self) -> None:
        """A new world begins, so the last one is over and everything that was lent is back."""
        self._worlds += 1
        self.steps, self.actors, self.orders = [], [], {}
        self.performed = None

    def offer(self, can: int) -> tuple[int, ...]:
        """The actors of a mask; kept in `offers`."""
        offered = self.offers[can] = tuple([number for number in range(can.bit_length()) if can >> number & 1])
        return offered

    def name(self, space: str, given: str) -> str:
        """A name that nothing else of that space has in this world: a further one of a name gets a number behind it.

        Two of the same footprints would pass for one: what one gives the other would seem to take, and orders that are
        possible would count as excluded.
        """
        name, number = given, 1
        while self._named.get((space, name)) == self._worlds:
            number += 1
            name = f"{given} ({number})"
        self._named[space, name] = self._worlds
        return name

    def name_word(self, address: int, given: str) -> None:
        """A word of memory is called so in this world; what was said of it under another name is forgotten."""
        name = self.name("word", given) if given else ""
        if self.words.get(address, "") != name:
            self.words[address] = name
            self.known.clear()

    def word(self, address: int) -> str:
        """What messages call a word."""
        name = self.words.get(address)
        return f"{name} ({address:#x})" if name else f"{address:#x}"

    def lend(self, kind: type[PartT], name: str, *more: Hashable) -> PartT:
        """The part of that kind and name, as new."""
        name = self.name(kind.space, name)
        key: Hashable = (kind, name, more)
        part: PartT | None = self._parts.get(key)
        if part is None:
            make: Callable[..., PartT] = kind
            part = self._parts[key] = make(self, name, *more)
            self.resources.stands_for(part, (kind.space, name))
        else:
            part.renew()
        part.lent = self._worlds
        return part

    def memory(self, frames: int, make: Callable[[int], Memory] = Memory) -> Memory:
        """Memory that is all zeros: of an earlier world, if nothing refers to it any more; else made anew.

        Two are kept, since a strategy may still hold its last run when the next one begins. A fresh one costs as much
        as six steps, most of it in what it drives out of the caches.
        """
        for memory in self._memories:
            if getrefcount(memory) == _OURS and memory.frames == frames:
                memory.clear()
                return memory
        self._fresh += 1
        if self._fresh % FRESH == 0:
            gc.collect(1)
        fresh = make(frames)
        self._memories = [*self._memories[-1:], fresh]
        return fresh

    def became(self, *, takes: int = 0, gives: int = 0) -> None:
        """Say of the step that is performed what it took or gave, as only now is known; it is in no other record.

        That need not be the step that was made: in a user's file one with a larger footprint may stand for it.
        """
        step = self.steps[-1]
        step.takes |= takes
        step.gives |= gives

    def made_of(self, made: Made) -> None:
        """Say of the step that is performed what it is to a memory model, if its footprint does not."""
        self.orders[len(self.steps) - 1] = made

    def remember(self, key: Hashable, step: Step) -> Step:
        """Keep a step for the next time that one of the same `key` is to be taken."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        self.known[key] = step
        return step
