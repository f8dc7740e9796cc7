"""Ports: msgpack bytes over a Trio memory channel.

A push orders producers, a pop orders consumers, push *i* enables pop *i* and never races with it: one resource a queue
would cost twelve times the interleavings at two messages and 384 times at three (measured on a five-actor model).
"""

from __future__ import annotations

import math
from collections.abc import Generator, Hashable
from typing import Any, ClassVar

import trio

from .codec import Codec
from .session import Session
from .step import Step, operation
from .thread import Thread

Forms = list[Step]
"""One operation on a port: first the step as it is announced, then as it is recorded for message 1, 2, …"""


class Port:
    """A FIFO of messages between actors; a session lends it to one world after the other.

    Which message a step sends or takes is known when it is performed, not when it is announced; the steps that differ
    in nothing else are made once and put into the record then.
    """

    space: ClassVar[str] = "port"

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
        if self.codec.has_names:
            data = b""  # what is kept here meanwhile is part of the state, and in these bytes nobody finds the names
        yield forms[0]
        self._sender.send_nowait(data or self.codec.encode(message))
        number = self.sent = self.sent + 1
        self._session.steps[-1] = forms[number] if number < len(forms) else self._sent(forms)

    @operation
    def receive(self, thread: Thread, what: str = "") -> Generator[Step, int, Any]:
        """One step, offered when a message is there."""
        forms = self._receives.get(what)
        if forms is None:
            forms = self._receives[what] = [self._receipt(what or f"receive from {self.name}")]
        thread.acts(forms[0].what)
        if thread.spinning:
            thread.might_sleep(f"receive from {self.name}")
        yield forms[0]
        number = self.received = self.received + 1
        self._session.steps[-1] = forms[number] if number < len(forms) else self._taken(forms)
        return self.codec.decode(self._receiver.receive_nowait())

    @operation
    def try_receive(self, thread: Thread, what: str = "") -> Generator[Step, int, Any]:
        """One step that never waits, as kfifo_get(): the oldest message, or None if none is there."""
        what = what or f"look for a message in {self.name}"
        thread.acts(what)
        yield Step(what, self.tail, self.head)
        if not self.holds():
            return None
        self.received += 1
        return self.codec.decode(self._receiver.receive_nowait())

    @operation
    def is_empty(self, thread: Thread) -> Generator[Step, int, bool]:
        """One step that takes nothing, as kfifo_is_empty(): whether no message is there."""
        what = f"is {self.name} empty?"
        thread.acts(what)
        yield Step(what, self.tail | self.head)
        return not self.holds()

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

    def is_declared(self, name: str) -> bool:
        """Whether the step that goes on writes the end that a `push` or `pop` changes."""
        step, end = self._session.performed, {"push": self.tail, "pop": self.head}.get(name, 0)
        return step is not None and bool(step.writes & end)

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

    def _remember(self, key: Hashable, what: str) -> Forms:
        """The first form of a send."""
        forms = self._sends[key] = [Step(what, 0, self.tail)]
        return forms

    def _sent(self, forms: Forms) -> Step:
        """The step that sent the last message."""
        while len(forms) <= self.sent:
            step = Step(forms[0].what, 0, self.tail, gives=self._element(len(forms)))
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
