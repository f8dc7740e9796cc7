"""A kernel work queue, built on a port."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from .codec import Codec
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
        return self._port.received - 1, work

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
        last = self._port.sent
        takes = 0
        for number in range(last):
            takes |= self._mask(number)
        yield (
            Step(
                f"flush {self.name}: works done",
                takes=takes,
                ready=lambda: len(self._done) >= last and all(self._done[:last]),
                blocked=lambda: f"works of {self.name} queued before the flush",
                wakes=takes,
            )
        )

    def _mask(self, number: int) -> int:
        return self._session.resources.mask(("work done", self._port.name, number))
