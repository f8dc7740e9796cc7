"""Ports: msgpack bytes over a Trio memory channel, with a link discipline; and the work queue built on one.

A push orders producers, a pop orders consumers, push *i* enables pop *i* and never races with it: one resource a queue
would cost twelve times the interleavings at two messages and 384 times at three (measured on a five-actor model).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Generator, Hashable
from typing import TYPE_CHECKING, Any

import trio

from .codec import Codec
from .session import Session
from .step import Step, operation

if TYPE_CHECKING:
    from .world import Cpu, World

Forms = list[Step]
"""One operation on a port: first the step as it is announced, then as it is recorded for message 1, 2, …"""


class Port:
    """A FIFO of messages between actors; a session lends it to one world after the other.

    Which message a step sends or takes is known when it is performed, not when it is announced; the steps that differ
    in nothing else are made once and put into the record then.
    """

    def __init__(self, session: Session, name: str, codec: Codec) -> None:
        self.name = name
        self.codec = codec
        self.tail = session.resources.mask(("port", name, "tail"))
        """The mask that a push writes."""
        self.head = session.resources.mask(("port", name, "head"))
        """The mask that a pop writes."""
        self.sent = 0
        self.received = 0
        self.lent = 0
        self._session = session
        self._sender, self._receiver = trio.open_memory_channel[bytes](math.inf)
        self._elements = [0]  # messages are numbered from 1
        self._sends: dict[Hashable, Forms] = {}
        self._receives: dict[str, Forms] = {}

    def renew(self) -> None:
        """Empty."""
        for _ in range(self.sent - self.received):
            self._receiver.receive_nowait()
        self.sent = self.received = 0

    @operation
    def send(self, message: object, what: str = "") -> Generator[Step, int, None]:
        """One step: the message is on its way when it returns."""
        data = self.codec.encode(message)
        key: Any = what or type(message)
        forms = self._sends.get(key) or self._remember(key, what or f"send {type(message).__name__} to {self.name}")
        yield forms[0]
        self._sender.send_nowait(data)
        number = self.sent = self.sent + 1
        self._session.steps[-1] = forms[number] if number < len(forms) else self._sent(forms)

    @operation
    def send_made(self, make: Callable[[], object], what: str, reads: int) -> Generator[Step, int, None]:
        """One step whose message depends on what `reads` names, and is made when the step is taken."""
        forms = self._sends.get((what, reads)) or self._remember((what, reads), what, reads)
        yield forms[0]
        self.push(self.codec.encode(make()))
        self._session.steps[-1] = forms[self.sent] if self.sent < len(forms) else self._sent(forms)

    @operation
    def receive(self, cpu: Cpu, what: str = "") -> Generator[Step, int, Any]:
        """One step, offered when a message is there."""
        forms = self._receives.get(what)
        if forms is None:
            forms = self._receives[what] = [self._receipt(what or f"receive from {self.name}")]
        if cpu.spinning:
            cpu.might_sleep(f"receive from {self.name}")
        yield forms[0]
        number = self.received = self.received + 1
        self._session.steps[-1] = forms[number] if number < len(forms) else self._taken(forms)
        return self.codec.decode(self._receiver.receive_nowait())

    def push(self, data: bytes) -> int:
        """Put bytes on the wire inside a step that writes the tail; the mask that this gives."""
        self._sender.send_nowait(data)
        self.sent += 1
        return self._element(self.sent)

    def pop(self) -> tuple[int, Any]:
        """Take the oldest message inside a step that writes the head; the mask that this takes, and the message."""
        data = self._receiver.receive_nowait()
        self.received += 1
        return self._element(self.received), self.codec.decode(data)

    def waiting(self) -> list[bytes]:
        """What is on the wire, oldest first; it stays there."""
        found = [self._receiver.receive_nowait() for _ in range(self.sent - self.received)]
        for data in found:
            self._sender.send_nowait(data)
        return found

    def holds(self) -> bool:
        """Whether a message waits."""
        return self.sent > self.received

    def _element(self, number: int) -> int:
        """The mask of the message of that number."""
        elements = self._elements
        while number >= len(elements):
            elements.append(self._session.resources.mask(("port", self.name, len(elements))))
        return elements[number]

    def _remember(self, key: Hashable, what: str, reads: int = 0) -> Forms:
        """The first form of a send."""
        forms = self._sends[key] = [Step(what, reads, self.tail)]
        return forms

    def _sent(self, forms: Forms) -> Step:
        """The step that sent the last message."""
        while len(forms) <= self.sent:
            step = Step(forms[0].what, forms[0].reads, self.tail, gives=self._element(len(forms)))
            forms.append(step)
        return forms[self.sent]

    def _taken(self, forms: Forms) -> Step:
        """The step that took the last message."""
        while len(forms) <= self.received:
            step = self._receipt(forms[0].what)
            step.takes = self._element(len(forms))
            forms.append(step)
        return forms[self.received]

    def _receipt(self, what: str) -> Step:
        wakes = self.head | self.tail
        return Step(what, 0, self.head, ready=self.holds, blocked=self._blocked, idle=True, wakes=wakes)

    def _blocked(self) -> str:
        return f"a message from {self.name}"


class Link:
    """One direction of a PCIe link: posted, non-posted and completion queues.

    Ordering (vtd-pcie §1.1): posted requests stay in order and may pass the others; a non-posted request or a
    completion may not pass an earlier posted request. So those two are taken only after every posted request that was
    sent before them.
    """

    def __init__(self, world: World, name: str, *, posted: Codec, non_posted: Codec, completion: Codec) -> None:
        self.name = name
        self._world = world
        lend = world.session.lend
        self.posted = lend(Port, f"{name} posted", posted)
        self._ordered = {
            "non-posted": lend(Port, f"{name} non-posted", non_posted),
            "completion": lend(Port, f"{name} completion", completion),
        }
        self._any_arrival = world.mask(("link", name, "arrivals"))
        """Nobody takes it: it says that an arrival changes what a receiver or a flush waits for."""
        self._behind: dict[str, deque[int]] = {kind: deque() for kind in self._ordered}
        self._arrived = 0

    @operation
    def send_posted(
        self,
        message: object,
        what: str,
        reads: int = 0,
        writes: int = 0,
        gives: int = 0,
        only_if: Callable[[], bool] | None = None,
    ) -> Generator[Step, int, int]:
        """One step; the number of this posted request (from 1), or 0 if `only_if`, asked in the step, said no.

        `reads` and `writes` are the masks of what the sender looks at or changes in the same step, `gives` what others
        may wait for.
        """
        data = self.posted.codec.encode(message)
        step = Step(what, reads, self.posted.tail | writes)
        yield step
        if only_if is not None and not only_if():
            return 0
        step.gives = self.posted.push(data) | gives
        return self.posted.sent

    async def receive_posted(self, cpu: Cpu, what: str = "") -> Any:
        """One step; the message has not *arrived* before the receiver's next step, `deliver`."""
        return await self.posted.receive(cpu, what)

    @operation
    def deliver(self, what: str, reads: int = 0, writes: int = 0, gives: int = 0) -> Generator[Step, int, None]:
        """The receiver's step that carries a posted request out; what must not pass it can follow now."""
        yield Step(what, reads, writes, gives=self._arrival(self._arrived + 1) | self._any_arrival | gives)
        self._arrived += 1

    @operation
    def send_ordered(self, kind: str, message: object, what: str = "", writes: int = 0) -> Generator[Step, int, None]:
        """One step: kind is "non-posted" or "completion"; it stays behind the posted requests sent so far."""
        port = self._ordered[kind]
        data = port.codec.encode(message)
        step = Step(what or f"send {type(message).__name__} to {port.name}", self.posted.tail, port.tail | writes)
        yield step
        step.gives = port.push(data)
        self._behind[kind].append(self.posted.sent)

    @operation
    def receive_ordered(self, cpu: Cpu, kind: str, what: str = "") -> Generator[Step, int, Any]:
        """One step, offered when a message is there and every posted request before it was taken."""
        port = self._ordered[kind]
        behind = self._behind[kind]
        cpu.might_sleep(f"receive from {port.name}")
        step = Step(
            what or f"receive from {port.name}",
            writes=port.head,
            ready=lambda: bool(behind) and self._arrived >= behind[0],
            blocked=lambda: f"a message from {port.name}",
            idle=True,
            wakes=port.head | port.tail | self._any_arrival,
        )
        yield step
        taken, message = port.pop()
        # Only the posted requests before it: what was sent later may have passed it, and comes before it in no sense.
        step.takes = taken | self._arrivals(behind.popleft())
        return message

    def _arrival(self, number: int) -> int:
        """The mask that the arrival of a posted request gives; they are numbered from 1."""
        return self._world.mask(("link", self.name, "arrived", number))

    def _arrivals(self, last: int) -> int:
        """What is taken by who needs all posted requests up to `last`."""
        mask = 0
        for number in range(1, last + 1):
            mask |= self._arrival(number)
        return mask

    @operation
    def flush(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step of the sender: offered when every posted request that it sent has arrived."""
        cpu.might_sleep(f"flush {self.name}")
        step = Step(
            f"posted requests on {self.name} have arrived",
            reads=self.posted.tail,
            takes=self._arrivals(self.posted.sent),
            ready=lambda: self._arrived == self.posted.sent,
            blocked=lambda: f"{self.posted.sent - self._arrived} posted requests on {self.name}",
            wakes=self.posted.tail | self._any_arrival,
        )
        yield step
        step.takes = self._arrivals(self.posted.sent)


class Workqueue:
    """A kernel work queue: `flush` waits for the works that were queued before the call, and for no later one."""

    def __init__(self, world: World, name: str, codec: Codec) -> None:
        self.name = name
        self._world = world
        self._port = world.session.lend(Port, name, codec)
        self._done: list[bool] = []

    async def queue(self, work: object) -> None:
        """One step."""
        await self._port.send(work, f"queue_work {self.name}")

    async def take(self, cpu: Cpu) -> tuple[int, Any]:
        """The worker's step: the number of a work (for `finish`) and the work."""
        work = await self._port.receive(cpu, f"take work from {self.name}")
        self._done.append(False)
        return self._port.received - 1, work

    @operation
    def finish(self, number: int) -> Generator[Step, int, None]:
        """One step: the work is over for whoever flushes."""
        yield Step(f"work {number} of {self.name} done", gives=self._mask(number))
        self._done[number] = True

    @operation
    def flush(self, cpu: Cpu) -> Generator[Step, int, None]:
        """Two steps: look at what is queued now, then wait until exactly those are done."""
        cpu.might_sleep(f"flush {self.name}")
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
        return self._world.mask(("work done", self.name, number))
