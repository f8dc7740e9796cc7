"""Turns what a thread of C says that it is about to do into a step, once for a session."""

from __future__ import annotations

import ctypes
from collections.abc import Hashable
from functools import partial
from typing import ClassVar

from actors.runtime.primitives.session import Session
from actors.runtime.primitives.step import ByteAccess, Mark, Resource, Step
from hw.bus import PhysAddr

from .errors import FAULTS, Bug, CFault, MissingFunction, Warned
from .image import (
    ARENA,
    CONTROL,
    DMA,
    HEAP,
    MOST_DMA,
    SLOTS,
    STACK,
    STACKS,
    THREADS,
    Image,
    Range,
    Stop,
    control,
    thread,
)
from .kernel_tree import WALKED

DONE, FAULT, OTHER, CALL = range(4)
_READ = 0
_MARKS = {0: Mark.PLAIN, 8: Mark.PIECE, 16: Mark.EXEMPT}
"""Of what an access is beyond load or store; with anything else it is marked."""
_VERBS = ("load", "store", "rmw")
_READS, _WRITES, _LOCKS, _UNLOCKS = 1, 2, 4, 8
_WORD = 4
"""Bytes that are one resource: neighbouring fields of that size do not race."""
_MOST = 50_000
"""Steps that are kept."""
_HEAD = Stop.range.offset
"""Bytes of a stop that say all but its ranges."""
_WALKED = {file.name for file in WALKED}
_TOLD = (MissingFunction, Warned, Bug)
"""Faults whose address is that of a text."""
images: dict[str, Image] = {}
"""Those that this process has mapped, by where they are kept."""


class Announcements:
    """The steps of one image; a session lends them to one world after the other."""

    space: ClassVar[str] = "c"

    def __init__(self, session: Session, path: str) -> None:
        self.lent = 0
        self.image = images[path]
        self.known: dict[int, Step] = {}
        """By the key that `c_resume` gave."""
        self.names: dict[int, str] = {}
        """The actors of this world, by the number of their thread."""
        self.labels: list[tuple[int, int, str]] = []
        """Places in the world's memory that have a name: where, how many bytes."""
        self.places = self.image.places
        self._session = session
        self.is_weak = False
        """Whether memory is not sequentially consistent: what primitives keep in order is then said."""
        session.tells_marks = self.image.has("c_tells_marks")
        self._others: dict[Hashable, Step] = {}
        self._ready = self.image.method("c_ready")

    def renew(self) -> None:
        """Another world begins."""
        self.names.clear()
        self.labels.clear()

    def step(self, number: int, key: int) -> Step:
        """The step of a key that is not known yet, or of what has no key."""
        if key != OTHER:
            if len(self.known) >= _MOST:
                self.known.clear()
            step = self.known[key] = self._access()
            return step
        stop = self.image.stop
        other = ctypes.string_at(CONTROL, _HEAD + ctypes.sizeof(Range) * stop.count), number
        known = self._others.get(other)
        return known or self._kept(other, self._access() if stop.verb is None else self._primitive(number))

    def _kept(self, other: Hashable, step: Step) -> Step:
        if len(self._others) >= _MOST:
            self._others.clear()
        self._others[other] = step
        return step

    def _access(self) -> Step:
        """A load, a store, or both at once."""
        stop = self.image.stop
        what, mask, access = self.accessed()
        gives = self._synchronised(stop.address) if self.is_weak and access.writes else 0
        return Step(what, 0 if access.writes else mask, mask if access.writes else 0, gives=gives, access=access)

    def _synchronised(self, address: int) -> int:
        """What orders those who pass something on by a primitive's word."""
        return self._session.footprint((("sync", hex(address)),))

    def accessed(self) -> tuple[str, int, ByteAccess]:
        """What a thread is about to access: in words, as a mask, and in bytes."""
        stop = self.image.stop
        name, line = self.name(stop.address, stop.start, stop.site), self.places.line(stop.pc)
        mark = _MARKS.get(stop.mark, Mark.MARKED)
        access = ByteAccess(stop.address, stop.size, stop.kind != _READ, mark, name, line)
        what = f"{_VERBS[stop.kind]} {name}{self.places.at(stop.pc)}"
        return what, self.words(stop.address, stop.size), access

    def _primitive(self, number: int) -> Step:
        """What is more than an access."""
        stop = self.image.stop
        verb = stop.verb.decode()
        if verb == "note":
            subject = text_at(stop.address)
            mask = self._session.footprint((("note", subject),))
            return Step(f"note {subject} = {ctypes.c_int64(stop.value).value}{self.places.at(stop.pc)}", writes=mask)
        reads = writes = takes = gives = 0
        names = []
        for each in stop.range[: stop.count]:
            words = self.words(each.address, each.size)
            free = self._session.footprint((("lock", hex(each.address), "release"),))
            names.append(self.name(each.address, each.start, each.site))
            if each.use & _WRITES:
                writes |= words
            else:
                reads |= words
            if each.use & _LOCKS:
                writes |= self._session.footprint((("lock", hex(each.address), "acquire"),))
                takes |= free
            if each.use & _UNLOCKS:
                gives |= free
            if self.is_weak and each.use & _WRITES and not stop.waits:
                gives |= self._synchronised(each.address)
            if self.is_weak and stop.waits and verb != "spin" and not each.use & _LOCKS:
                takes |= self._synchronised(each.address)
        about = f"until {' or '.join(names)} changes" if verb == "spin" else names[0]
        what = f"{verb} {about}{self.places.at(stop.pc)}"
        return Step(
            what,
            reads,
            writes,
            takes=takes,
            gives=gives,
            ready=partial(self._ready, number) if stop.waits else None,
            blocked=partial(self._blocked, number, what) if takes and stop.range[0].use & _LOCKS else None,
            idle=bool(stop.is_idle),
        )

    def _blocked(self, number: int, what: str) -> str:
        """What is said of a thread that waits for a lock."""
        holder = ctypes.c_uint64.from_address(thread(number).holder).value
        return f"{what}, held by {self.who(holder - 1)}" if holder else f"{what} (free)"

    def words(self, address: int, size: int) -> int:
        """The mask of what is touched there."""
        if DMA <= address < DMA + MOST_DMA:  # as devices name it
            first, last = address - DMA >> 3, address - DMA + size - 1 >> 3
            return self._session.footprint(tuple([("word", PhysAddr(word << 3)) for word in range(first, last + 1)]))
        words: tuple[Resource, ...] = tuple(
            [("word", word * _WORD) for word in range(address // _WORD, (address + size - 1) // _WORD + 1)]
        )
        return self._session.footprint(words)

    def name(self, address: int, start: int, site: int) -> str:
        """A place in memory as people say it."""
        if start:
            behind = f"+{address - start}" if address != start else ""
            return f"object of {self.places.line(site)}{behind}"
        if HEAP <= address < HEAP + SLOTS * ARENA:
            return "unused heap"
        if STACKS <= address < STACKS + SLOTS * STACK:
            number, offset = divmod(address - STACKS, STACK)
            return f"stack of {self.who(number)}-{STACK - offset}"
        if DMA <= address < DMA + MOST_DMA:
            for first, size, label in self.labels:
                if first <= address < first + size:
                    return label if size <= 8 else f"{label}.{(address - first) // 8}"
            return f"word {address - DMA:#x}"
        return self.places.name(address)

    def name_of(self, address: int) -> str:
        """A place in memory of which only the address is known."""
        for start, size, made in self.image.live_objects():
            if start <= address < start + size:
                return self.name(address, start, made)
        return self.name(address, 0, 0)

    def who(self, number: int) -> str:
        """The actor of a thread."""
        return "the set-up" if number == THREADS else self.names.get(number, f"thread {number}")

    def fault(self, number: int) -> CFault:
        """What a thread did wrong."""
        stop = self.image.stop
        kind = FAULTS[stop.value]
        place = self._outside(self.places.line(stop.pc), number)
        made, freed, freed_by, start = stop.detail
        said = text_at(stop.address) if kind in _TOLD else ""
        about = self.name(stop.address, start, made)
        if start and (freed or stop.size):
            about += f" (which {self.who((start - HEAP) // ARENA)} allocated)"
        by = f", which {self.who(freed_by)} freed at {self.places.line(freed)}" if freed else ""
        error: CFault = kind(
            f"{place or 'the runtime'}: {_SAYS[kind.__name__].format(about=about, by=by, said=said, size=stop.size)}"
        )
        error.where = place
        return error

    def _outside(self, place: str, number: int) -> str:
        """A line of the user's: if it is one of wait queues as they are made here, that which has called them."""
        if place.partition(":")[0] not in _WALKED:
            return place
        turn = thread(number)
        words = (ctypes.c_uint64 * ((turn.high - turn.user_sp) // 8)).from_address(turn.user_sp)
        code = range(self.image.segments[0].address, control().written)
        lines = [self.places.line(word) for word in words if word in code]
        return next((line for line in lines if line and line.partition(":")[0] not in _WALKED), place)


_SAYS = {
    "NullPointer": "an access to address {about}, a null pointer or near one",
    "WildPointer": "an access to {about}, where nothing is",
    "WriteToConstant": "a write to {about}, which is constant",
    "UseAfterFree": "an access to {about}{by}",
    "OutOfBounds": "an access of {size} bytes to {about}, which is beyond its end",
    "UseAfterReturn": "an access to {about}, a variable of a function that has returned",
    "DoubleFree": "{about} is freed again{by}",
    "BadFree": "{about} is freed, where no object begins",
    "MissingFunction": "{said} is called, and no file defines it",
    "StackOverflow": "the stack is full, or its pointer is elsewhere",
    "DivisionError": "a division by zero, or one whose result is too large",
    "IllegalInstruction": "an instruction that cannot be executed, such as stands where a function must not return",
    "BadAccess": "an access or a call that the processor refuses ({about})",
    "EndlessLoop": "a million rounds of a loop in which nothing happens that others could see",
    "SleepsWhileAtomic": "what may sleep is called while a spin lock is held",
    "NotHeld": "{about} is given back, and whoever does so does not hold it",
    "StillHeld": "a lock that was taken here is still held at the end",
    "FreesHeldLock": "{about} is freed, or its function returns, while a lock in it is held",
    "OverwritesHeldLock": "{about}, a lock that is held, is overwritten or initialised",
    "CopiesHeldLock": "{about}, a lock that is held, is copied or looked into",
    "Warned": "WARN_ON({said})",
    "Bug": "BUG_ON({said})",
    "WouldWait": "what is called before the race, or by a property, would have to wait",
    "Exhausted": "more than there is of heap, locks, work queues or works of one queue",
    "MissingVariable": "an access to {about}, a variable that no file defines",
    "Destroyed": "work is queued on a work queue that is gone",
}


def text_at(address: int) -> str:
    """A text in the image."""
    return ctypes.string_at(address).decode("utf-8", "replace")
