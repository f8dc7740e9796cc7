"""A PCIe link in one direction: three ports, and what may not pass what."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any

from hw.pcie.tlp import Channel, channel_of, may_overtake

from .codec import Codec
from .ports import Port
from .session import Session
from .step import MisuseError, Step, operation
from .thread import Thread

CHANNELS = {"non-posted": Channel.NON_POSTED, "completion": Channel.COMPLETION}
"""The two that are sent and received in the same way, by the names that models call them."""


class Link:
    """One direction of a PCIe link: posted, non-posted and completion queues, each a FIFO.

    Ordering (vtd-pcie §1.1): what may not overtake a posted request (`hw.pcie.tlp.may_overtake`) is taken only after
    every posted request that was sent before it, but for a completion whose sender says that it may pass them. A
    message travels in its own channel (`hw.pcie.tlp.channel_of`), or MisuseError; of types that are none of PCIe's the
    world says which.
    """

    def __init__(self, session: Session, name: str, *, posted: Codec, non_posted: Codec, completion: Codec) -> None:
        self.name = name
        self._became = session.became
        self._mask = session.resources.mask
        lend = session.lend
        self.posted = lend(Port, f"{name} posted", posted)
        self._ordered = {
            "non-posted": lend(Port, f"{name} non-posted", non_posted),
            "completion": lend(Port, f"{name} completion", completion),
        }
        self._key = self.posted.name  # unlike the link's own name, no other link of this world has it
        self._any_arrival = self._mask(("link", self._key, "arrivals"))
        """Nobody takes it: it says that an arrival changes what a receiver or a flush waits for."""
        self._counted = self._mask(("link", self._key, "number of arrivals"))
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
        self._refuse_stray(message, Channel.POSTED)
        data = self.posted.codec.encode(message)
        yield Step(what, reads, self.posted.tail | writes)
        if only_if is not None and not only_if():
            return 0
        self._became(gives=self.posted.push(data) | gives)
        return self.posted.sent

    async def receive_posted(self, thread: Thread, what: str = "") -> Any:
        """One step; the message has not *arrived* before the receiver's next step, `deliver`."""
        return await self.posted.receive(thread, what)

    @operation
    def deliver(self, what: str, reads: int = 0, writes: int = 0, gives: int = 0) -> Generator[Step, int, None]:
        """The receiver's step that carries a posted request out; what must not pass it can follow now."""
        # Which arrival it is, others who deliver decide as well, and the order in which they do can be observed.
        yield Step(what, reads, writes | self._counted, gives=self._any_arrival | gives)
        self._arrived += 1
        self._became(gives=self._arrival(self._arrived))

    @operation
    def send_ordered(
        self, kind: str, message: object, what: str = "", writes: int = 0, gives: int = 0, *, may_pass: bool = False
    ) -> Generator[Step, int, None]:
        """One step: kind is one of CHANNELS; it stays behind the posted requests sent so far, or may overtake them.

        `writes` and `gives` are the masks of what it changes in the same step, and of what others may wait for.
        `may_pass`: it is one of the few completions that need not stay behind.
        """
        port, channel = self._ordered[kind], CHANNELS[kind]
        self._refuse_stray(message, channel)
        data = port.codec.encode(message)
        reads = 0 if may_pass else self.posted.tail
        yield Step(what or f"send {type(message).__name__} to {port.name}", reads, port.tail | writes)
        self._became(gives=port.push(data) | gives)
        overtakes = may_pass or may_overtake(channel, Channel.POSTED)
        self._behind[kind].append(0 if overtakes else self.posted.sent)

    @operation
    def receive_ordered(
        self, thread: Thread, kind: str, what: str = "", *, sleeps: bool = True
    ) -> Generator[Step, int, Any]:
        """One step, offered when a message is there and every posted request before it was taken.

        `sleeps=False` is a busy wait, allowed under a spin lock.
        """
        port = self._ordered[kind]
        behind = self._behind[kind]
        if thread.spinning:
            thread.waits_spinning(f"receive from {port.name}", sleeps)
        thread.acts(f"receive from {port.name}")
        yield Step(
            what or f"receive from {port.name}",
            writes=port.head,
            ready=lambda: bool(behind) and self._arrived >= behind[0],
            blocked=lambda: f"a message from {port.name}",
            idle=True,
            wakes=port.head | port.tail | self._any_arrival,
        )
        taken, message = port.pop()
        # Only the posted requests before it: what was sent later may have passed it, and comes before it in no sense.
        self._became(takes=taken | self._arrivals(behind.popleft()))
        return message

    def _refuse_stray(self, message: object, channel: Channel) -> None:
        """MisuseError for a message of PCIe that travels in another channel."""
        own = channel_of(message)
        if own is not None and own is not channel:
            raise MisuseError(
                f"send {type(message).__name__} on {self.name} as {_shown(channel)}: on PCIe it is {_shown(own)}"
            )

    def _arrival(self, number: int) -> int:
        """The mask that the arrival of a posted request gives; they are numbered from 1."""
        return self._mask(("link", self._key, "arrived", number))

    def _arrivals(self, last: int) -> int:
        """What is taken by who needs all posted requests up to `last`."""
        mask = 0
        for number in range(1, last + 1):
            mask |= self._arrival(number)
        return mask

    @operation
    def flush(self, thread: Thread) -> Generator[Step, int, None]:
        """One step of the sender: offered when every posted request that it sent has arrived."""
        thread.might_sleep(f"flush {self.name}")
        yield Step(
            f"posted requests on {self.name} have arrived",
            reads=self.posted.tail,
            takes=self._arrivals(self.posted.sent),
            ready=lambda: self._arrived == self.posted.sent,
            blocked=lambda: f"{self.posted.sent - self._arrived} posted requests on {self.name}",
            wakes=self.posted.tail | self._any_arrival,
        )
        self._became(takes=self._arrivals(self.posted.sent))


def _shown(channel: Channel) -> str:
    return channel.name.lower().replace("_", "-")
