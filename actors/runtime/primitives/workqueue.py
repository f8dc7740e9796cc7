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
    """A kernel work queue: `flush` waits for the works that were queued before the call, and for no later one."""

    def __init__(self, session: Session, name: str, codec: Codec) -> None:
        self.name = name
        self._resource = session.resources.mask
        self._port = session.lend(Port, name, codec)
        self._done: list[bool] = []

    async def queue(self, work: object) -> None:
        """One step."""
        await self._port.send(work, f"queue_work {self.name}")

    async def take(self, thread: Thread) -> tuple[int, Any]:
        """The worker's step: the number of a work (for `finish`) and the work."""
        work = await self._port.receive(thread, f"take work from {self.name}")
        self._done.append(False)
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
        return self._resource(("work done", self.name, number))
