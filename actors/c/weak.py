"""Loads and stores of C on memory that is not sequentially consistent.

The instruction makes its access to the newest value, as ever. Where an older one is chosen, the runtime puts that in
its place before, and the newest back behind it; what was stored is read when the thread stops again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, cast

from actors.runtime.primitives.memory_models.accesses import Word
from actors.runtime.primitives.memory_models.accessing import Target
from actors.runtime.primitives.memory_models.cpu import WeakCpu
from actors.runtime.primitives.memory_models.memory import WatchedMemory
from actors.runtime.primitives.ordering import Fence, Order
from actors.runtime.primitives.step import ByteAccess, MemoryStep, MisuseError
from hw.bus import PhysAddr

from .image import DMA, MOST_DMA, Stop, bytes_at, control

_READ, _WRITE, _ATOMIC = range(3)
_PRIMITIVE, _COMPARES = 32, 64
_RELAXED, _ACQUIRE, _RELEASE, _FULL, _UNSEEN = range(1, 6)
_ORDERS = (Order.RELAXED, Order.RELAXED, Order.ACQUIRE, Order.RELEASE, Order.FULL, Order.RELAXED)
"""Of an atomic operation; one of which nothing is said keeps nothing in order."""
_FENCES = ((1, Fence.FULL), (2, Fence.STORES), (4, Fence.LOADS), (8, Fence.ATOMIC))
_WORD = 8
Place = tuple[int, int]


def is_primitive(stop: Stop) -> bool:
    """Whether an access is a primitive's: of these everybody sees the newest."""
    return bool(stop.mark & _PRIMITIVE)


class Cells(dict[int, Place]):
    """Of each byte that C has accessed the place that it is part of: where that begins, how many bytes."""

    def at(self, start: int, size: int, step: str) -> None:
        """Take up a place; MisuseError if another one overlaps: what is torn then, no model here says."""
        for byte in range(start, start + size):
            known = self.setdefault(byte, (start, size))
            if known != (start, size):
                raise MisuseError(
                    f"{step}: {size} bytes, where an access of {known[1]} overlaps; under --memory tso and arm each "
                    "place in memory must be accessed as a whole"
                )

    def forget(self, start: int, size: int) -> None:
        """What is there becomes something else."""
        for byte in range(start, start + size):
            self.pop(byte, None)


class AnnouncedAccess(NamedTuple):
    """An access that is announced."""

    step: MemoryStep
    target: Target
    kind: int
    start: int
    """Where C has it."""
    size: int
    order: int
    expected: int | None
    """Of a compare and exchange."""
    places: list[int]
    """Of a read-modify-write: the stores that it may read."""


class Outside:
    """Memory as the models see it: words of C are known if they were accessed; the instruction itself stores."""

    def __init__(self, memory: WatchedMemory) -> None:
        self._memory = memory

    def word(self, address: PhysAddr) -> Word | None:
        """What is known of the word there."""
        return self._memory.word(address) if address < MOST_DMA else self._memory.accesses.known(address)

    def poke(self, address: PhysAddr, value: int) -> None:
        """The instruction has stored it."""


class CAccesses(WeakCpu):
    """The accesses of one thread of C, beside its cpu."""

    __slots__ = ("_cells", "_masks", "_outside")

    def __init__(self, cpu: WeakCpu, cells: Cells) -> None:
        super().__init__(cpu._stage, cpu.number, cpu.name, cpu._add_actor, cpu.views)
        self._outside = self._watched
        self._watched = cast(WatchedMemory, Outside(self._outside))
        self._cells = cells
        self._masks: dict[int, int] = {}

    def announced(self, stop: Stop, what: str, mask: int, access: ByteAccess) -> AnnouncedAccess:
        """The access that the thread has stopped at."""
        start, size = stop.address, stop.size
        self._cells.at(start, size, what)
        address = PhysAddr(start - DMA if DMA <= start < DMA + MOST_DMA else start)
        if address < MOST_DMA and address % _WORD:
            raise MisuseError(f"{what}: under --memory tso and arm what devices see is accessed by words of 8 bytes")
        self._masks[address] = mask
        if address >= MOST_DMA:
            self._accesses.word(address, bytes_at(start, size))
        target = Target(address, ordered=stop.order == (_ACQUIRE if stop.kind == _READ else _RELEASE))
        compares = bool(stop.mark & _COMPARES)
        expected = stop.expected & (1 << 8 * size) - 1 if compares else None
        places = list[int]()
        order = stop.order

        def find_changed(step: MemoryStep) -> int:
            return self._find_changed(_ORDERS[order], lambda now: compares and now != expected, places, step)

        count: Any = (self._find, self._find_followed, find_changed)[stop.kind]
        step = MemoryStep(what, mask if stop.kind == _READ else 0, 0 if stop.kind == _READ else mask, count, target)
        step.access = access
        return AnnouncedAccess(step, target, stop.kind, start, size, order, expected, places)

    def begins(self, made: AnnouncedAccess, outcome: int) -> int:
        """The thread is about to make its access; the place of the store that it reads, or comes behind."""
        word = made.target.word
        place = word.newest - outcome
        if made.kind == _WRITE and outcome and word.atomic[place + 1]:
            place = word.newest
        if made.kind == _ATOMIC and place not in made.places:
            place = word.newest
        if place != word.newest:
            control().has_older, control().older = 1, word.values[place]
        return place

    def ends(self, made: AnnouncedAccess, place: int, outcome: int) -> None:
        """It was made."""
        target, word, bits = made.target, made.target.word, 8 * made.size
        if place == word.newest:
            value = bytes_at(made.start, _WORD if target.address < MOST_DMA else made.size)
        else:
            value = control().stored | word.values[place] >> bits << bits
        if made.kind == _READ:
            self._loads(target, place, acquires=made.order == _ACQUIRE)
        elif made.kind == _WRITE:
            target.value = value
            self._stores(target, place, releases=made.order == _RELEASE)
        else:
            self._changed(made, place, value)
        self._became(outcome)

    def _changed(self, made: AnnouncedAccess, place: int, value: int) -> None:
        """A locked instruction was made."""
        target, order, views = made.target, _ORDERS[made.order], self.views
        failed = made.expected is not None and target.word.values[place] != made.expected
        acquires = order.acquires and not failed
        target.before |= views.before_load(acquires=acquires, atomic=True)
        access = self._loads(target, place, acquires=acquires, unseen=made.order == _UNSEEN, atomic=True)
        if failed:
            return
        target.before = views.before_store(target.address, releases=order.releases, atomic=True)
        target.before |= self._accesses.past[access]
        target.value = value
        self._stores(target, place, releases=order.releases, atomic=True)
        if made.order == _FULL:
            views.full()

    def barriers(self) -> None:
        """The barriers that the thread has come to since."""
        found = control().barriers
        if found:
            control().barriers = 0
            for bit, fence in _FENCES:
                if found & bit:
                    self._fence(fence)

    def behind(self, stop: Stop) -> Callable[[], object]:
        """What is to be done when the step of a primitive that the thread has stopped at is taken."""
        if stop.count and stop.verb in (b"make frame", b"spin") and (stop.count == 1 or stop.verb == b"make frame"):
            each = stop.range[0]
            return partial(self._forget if stop.verb == b"make frame" else self._has_waited, each.address, each.size)
        return bool

    def _forget(self, start: int, size: int) -> None:
        """What is in a part of the stack becomes something else."""
        self._cells.forget(start, size)
        self._accesses.forget(start, start + size)

    def _has_waited(self, start: int, size: int) -> None:
        """A loop that did nothing goes on as another value is there: it does not look at the same one again."""
        address = PhysAddr(start - DMA if DMA <= start < DMA + MOST_DMA else start)
        word = self._accesses.known(address)
        if word is not None:
            seen = self._accesses.floor(self.views, address, word)
            if seen < word.newest:
                self.views.seen[address] = word.stores[seen + 1]

    def _word(self, address: PhysAddr) -> int:
        return self._masks.get(int(address)) or super()._word(address)

    def _known(self, target: Target) -> int:
        return super()._known(target) if target.address < MOST_DMA else 0
