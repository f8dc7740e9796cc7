"""Ports: msgpack bytes over a Trio memory channel, with a link discipline; and the work queue built on one.

A push orders producers, a pop orders consumers, push *i* enables pop *i* and never races with it: one resource a queue
would cost twelve times the interleavings at two messages and 384 times at three (measured on a five-actor model).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .codec import Codec
from .step import Resource, Step, perform

if TYPE_CHECKING:
    from .world import Cpu, World


class Marks:
    """What is the same for a port in every run: its masks and its labels."""

    __slots__ = ("_elements", "_mask", "_name", "_sends", "head", "receive", "tail")

    def __init__(self, mask: Callable[[Resource], int], name: str) -> None:
        self.tail = mask(("port", name, "tail"))
        self.head = mask(("port", name, "head"))
        self.receive = f"receive from {name}"
        self._mask = mask
        self._name = name
        self._elements = [0]  # messages are numbered from 1
        self._sends: dict[type, str] = {}

    def element(self, number: int) -> int:
        """The mask of the message of that number."""
        elements = self._elements
        while number >= len(elements):
            elements.append(self._mask(("port", self._name, len(elements))))
        return elements[number]

    def send(self, kind: type) -> str:
        """What a step that sends a message of this type is called."""
        label = self._sends.get(kind)
        if label is None:
            label = self._sends[kind] = f"send {kind.__name__} to {self._name}"
        return label


class Port:
    """A FIFO of messages between actors."""

    def __init__(self, world: World, name: str, codec: Codec) -> None:
        self.name = name
        self.codec = codec
        self._world = world
        self._sender, self._receiver = world.session.channel(self)
        marks = world.session.ports.get(name)
        if marks is None:
            marks = world.session.ports[name] = Marks(world.mask, name)
        self._marks = marks
        self._tail = marks.tail
        self._head = marks.head
        self.sent = 0
        self.received = 0

    async def send(self, message: object, what: str = "") -> None:
        """One step: the message is on its way when it returns."""
        data = self.codec.encode(message)
        step = Step(what or self._marks.send(type(message)), 0, self._tail)
        await perform(step)
        step.gives = self.push(data)

    async def send_made(self, make: Callable[[], object], what: str, reads: int) -> None:
        """One step whose message depends on what `reads` names, and is made when the step is taken."""
        step = Step(what, reads, self._tail)
        await perform(step)
        step.gives = self.push(self.codec.encode(make()))

    async def receive(self, cpu: Cpu, what: str = "") -> Any:
        """One step, offered when a message is there."""
        if cpu.spinning:
            cpu.might_sleep(self._marks.receive)
        step = Step(what or self._marks.receive, 0, self._head, ready=self.holds, blocked=self._blocked, idle=True)
        await perform(step)
        step.takes, message = self.pop()
        return message

    def push(self, data: bytes) -> int:
        """Put bytes on the wire inside a step that writes the tail; the mask that this gives."""
        self._sender.send_nowait(data)
        self.sent += 1
        return self._marks.element(self.sent)

    def pop(self) -> tuple[int, Any]:
        """Take the oldest message inside a step that writes the head; the mask that this takes, and the message."""
        data = self._receiver.receive_nowait()
        self.received += 1
        return self._marks.element(self.received), self.codec.decode(data)

    def drop_rest(self) -> None:
        """The world is over: leave the channel empty for the next one."""
        for _ in range(self.sent - self.received):
            self._receiver.receive_nowait()

    def holds(self) -> bool:
        """Whether a message waits."""
        return self.sent > self.received

    def _blocked(self) -> str:
        return f"a message from {self.name}"

    @property
    def tail(self) -> int:
        """The mask that a push writes."""
        return self._tail

    @property
    def head(self) -> int:
        """The mask that a pop writes."""
        return self._head


class Link:
    """One direction of a PCIe link: posted, non-posted and completion queues.

    Ordering (domain/vtd-pcie §1.1): posted requests stay in order and may pass the others; a non-posted request or a
    completion may not pass an earlier posted request. So those two are taken only after every posted request that was
    sent before them.
    """

    def __init__(self, world: World, name: str, *, posted: Codec, non_posted: Codec, completion: Codec) -> None:
        self.name = name
        self._world = world
        self.posted = Port(world, f"{name} posted", posted)
        self._ordered = {
            "non-posted": Port(world, f"{name} non-posted", non_posted),
            "completion": Port(world, f"{name} completion", completion),
        }
        self._behind: dict[str, deque[int]] = {kind: deque() for kind in self._ordered}
        self._arrived = 0

    async def send_posted(
        self,
        message: object,
        what: str,
        reads: int = 0,
        writes: int = 0,
        gives: int = 0,
        only_if: Callable[[], bool] | None = None,
    ) -> int:
        """One step; the number of this posted request (from 1), or 0 if `only_if`, asked in the step, said no.

        `reads` and `writes` are the masks of what the sender looks at or changes in the same step, `gives` what others
        may wait for.
        """
        data = self.posted.codec.encode(message)
        step = Step(what, reads, self.posted.tail | writes)
        await perform(step)
        if only_if is not None and not only_if():
            return 0
        step.gives = self.posted.push(data) | gives
        return self.posted.sent

    async def receive_posted(self, cpu: Cpu, what: str = "") -> Any:
        """One step; the message has not *arrived* before the receiver's next step, `deliver`."""
        return await self.posted.receive(cpu, what)

    async def deliver(self, what: str, reads: int = 0, writes: int = 0, gives: int = 0) -> None:
        """The receiver's step that carries a posted request out; what must not pass it can follow now."""
        await perform(Step(what, reads, writes, gives=self._arrival(self._arrived + 1) | gives))
        self._arrived += 1

    async def send_ordered(self, kind: str, message: object, what: str = "", writes: int = 0) -> None:
        """One step: kind is "non-posted" or "completion"; it stays behind the posted requests sent so far."""
        port = self._ordered[kind]
        data = port.codec.encode(message)
        step = Step(what or f"send {type(message).__name__} to {port.name}", self.posted.tail, port.tail | writes)
        await perform(step)
        step.gives = port.push(data)
        self._behind[kind].append(self.posted.sent)

    async def receive_ordered(self, cpu: Cpu, kind: str, what: str = "") -> Any:
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
        )
        await perform(step)
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

    async def flush(self, cpu: Cpu) -> None:
        """One step of the sender: offered when every posted request that it sent has arrived."""
        cpu.might_sleep(f"flush {self.name}")
        step = Step(
            f"posted requests on {self.name} have arrived",
            reads=self.posted.tail,
            takes=self._arrivals(self.posted.sent),
            ready=lambda: self._arrived == self.posted.sent,
            blocked=lambda: f"{self.posted.sent - self._arrived} posted requests on {self.name}",
        )
        await perform(step)
        step.takes = self._arrivals(self.posted.sent)


class Workqueue:
    """A kernel work queue: `flush` waits for the works that were queued before the call, and for no later one."""

    def __init__(self, world: World, name: str, codec: Codec) -> None:
        self.name = name
        self._world = world
        self._port = Port(world, name, codec)
        self._done: list[bool] = []

    async def queue(self, work: object) -> None:
        """One step."""
        await self._port.send(work, f"queue_work {self.name}")

    async def take(self, cpu: Cpu) -> tuple[int, Any]:
        """The worker's step: the number of a work (for `finish`) and the work."""
        work = await self._port.receive(cpu, f"take work from {self.name}")
        self._done.append(False)
        return self._port.received - 1, work

    async def finish(self, number: int) -> None:
        """One step: the work is over for whoever flushes."""
        await perform(Step(f"work {number} of {self.name} done", gives=self._mask(number)))
        self._done[number] = True

    async def flush(self, cpu: Cpu) -> None:
        """Two steps: look at what is queued now, then wait until exactly those are done."""
        cpu.might_sleep(f"flush {self.name}")
        await perform(Step(f"flush {self.name}: look", reads=self._port.tail))
        last = self._port.sent
        takes = 0
        for number in range(last):
            takes |= self._mask(number)
        await perform(
            Step(
                f"flush {self.name}: works done",
                takes=takes,
                ready=lambda: len(self._done) >= last and all(self._done[:last]),
                blocked=lambda: f"works of {self.name} queued before the flush",
            )
        )

    def _mask(self, number: int) -> int:
        return self._world.mask(("work done", self.name, number))
