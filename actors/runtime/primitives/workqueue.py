"""A kernel work queue, built on a port."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import zip_longest
from typing import Any

from .codec import Codec
from .names import Name
from .ports import Port
from .session import Session
from .step import Step, operation
from .thread import Thread


class Workqueue:
    """A kernel work queue: `flush` waits for the works that were queued before the call, and for no later one.

    A work is the object that was queued, or what a worker took for it; another one may be equal to it.
    """

    def __init__(self, session: Session, name: str, codec: Codec) -> None:
        self.name = name
        self._session = session
        self._port = session.lend(Port, name, codec)
        self._done: list[bool] = []
        self._queued: list[tuple[object, int]] = []
        """Each object that was put in, and the number of the first that stands for the same work."""
        self._taken: list[object] = []

    @operation
    def queue(self, work: object) -> Generator[Step, int, bool]:
        """One step, or two for a work that was queued before: False if it is pending, as then it runs once."""
        port = self._port
        data = port.codec.encode(work)
        yield Step(f"queue_work {self.name}", writes=port.tail)
        first = self._first(work)
        if first < len(self._queued):
            yield Step(f"queue_work {self.name}: pending?", reads=port.head, writes=port.tail)
            if any(number == first for _, number in self._queued[port.received :]):
                return False
        self._session.became(gives=port.push(data))
        self._queued.append((work, first))
        return True

    def _first(self, work: object) -> int:
        """The number under which a work was queued first, or the next if it never was."""
        known = zip(self._queued, self._taken + [None] * len(self._queued), strict=False)
        return next((of[1] for of, taken in known if of[0] is work or taken is work), len(self._queued))

    async def take(self, thread: Thread) -> tuple[int, Any]:
        """The worker's step: the number of a work (for `finish`) and the work, which is pending no more."""
        work = await self._port.receive(thread, f"take work from {self.name}")
        self._done.append(False)
        self._taken.append(work)
        return Name(self._port.received - 1, self.name), work

    @operation
    def finish(self, number: int) -> Generator[Step, int, None]:
        """One step: the work is over for whoever flushes."""
        yield Step(f"work {number} of {self.name} done", gives=self._mask(number))
        self._done[number] = True

    @operation
    def flush(self, thread: Thread) -> Generator[Step, int, None]:
        """Two steps: look at what is queued now, then wait until exactly those are done."""
        thread.might_sleep(f"flush {self.name}")
        yield Step(f"flush {self.name}: look", reads=self._port.tail)
        yield self._end_of_all()

    def known(self) -> Iterator[tuple[object, Name]]:
        """The objects that stand for works, each with the name of its work; the first counts if one comes twice."""
        for (work, first), taken in zip_longest(self._queued, self._taken):
            yield work, Name(first, self.name)
            yield taken, Name(first, self.name)

    def state(self) -> tuple[object, ...]:
        """What waits and what runs, and which works these are."""
        numbers = [number for number in range(len(self._queued)) if not self._is_over(number)]
        begun = self._port.received
        entries = [(Name(number, self.name), number < begun, *self._queued[number]) for number in numbers]
        return self.name, *((name, runs, work, Name(first, self.name)) for name, runs, work, first in entries)

    def _is_over(self, number: int) -> bool:
        return number < len(self._done) and self._done[number]

    def _end_of_all(self) -> Step:
        """The wait for what is queued now."""
        takes = 0
        for number in range(self._port.sent):
            takes |= self._mask(number)
        left = [Name(number, self.name) for number in range(self._port.sent) if not self._is_over(number)]
        return Step(
            f"flush {self.name}: works done",
            takes=takes,
            ready=lambda: all(map(self._is_over, left)),
            blocked=lambda: f"works of {self.name} queued before the flush",
            wakes=takes,
        )

    def _mask(self, number: int) -> int:
        return self._session.resources.mask(("work done", self._port.name, number))
