"""What software needs from whoever runs it: the bus, locks, waits, queues. `actors.runtime` implements it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

from hw.bus import Bus, PhysAddr, Resource

OwnCpu: TypeAlias = Any
"""A `Cpu` as its maker has it: the primitives of a runtime take its own threads alone, which have no name here."""


class Cpu(Bus, Protocol):
    """One thread of execution: every await is one step that other agents can observe."""

    @property
    def name(self) -> str:
        """The name of the thread that runs."""
        ...

    @property
    def now(self) -> int:
        """The number of the step that is being performed: for messages, never for decisions."""
        ...

    async def wait(
        self,
        what: str,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource] = (),
        writes: Sequence[Resource] = (),
        idle: bool = False,
        sleeps: bool = True,
    ) -> None:
        """Go on only when `until()`, which looks at what the footprint names; `sleeps=False` is a busy wait."""
        ...

    async def poll(
        self,
        address: PhysAddr,
        until: Callable[[int], bool],
        what: str,
        *,
        idle: bool = False,
        sleeps: bool = True,
    ) -> int:
        """Wait for a word of memory or a register; the value that ended the wait."""
        ...

    async def poll_words(
        self, addresses: Sequence[PhysAddr], until: Callable[..., bool], what: str, *, idle: bool = False
    ) -> list[int]:
        """A busy wait for several words of memory, which `until` is given in order; their values then."""
        ...

    async def rmw(self, address: PhysAddr, change: Callable[[int], int], what: str = "") -> int:
        """Read and write one word in one step, as an atomic instruction does; the value before."""
        ...

    async def dma_wmb(self) -> None:
        """Stores before it come before stores behind it, also in the eyes of devices. No step."""
        ...

    async def dma_rmb(self) -> None:
        """Loads before it come before what is behind it, also of what devices store. No step."""
        ...

    async def mb(self) -> None:
        """Everything before it comes before everything behind it. No step."""
        ...

    async def store_release(self, address: PhysAddr, value: int, what: str = "") -> None:
        """A store that comes after everything before it."""
        ...

    async def spawn(self, name: str, main: Callable[[Any], Coroutine[Any, Any, None]], *, daemon: bool = False) -> None:
        """Start another thread of execution."""
        ...

    async def lock(self, lock: Any) -> None:
        """Take a lock."""
        ...

    async def unlock(self, lock: Any) -> None:
        """Give a lock back."""
        ...

    async def send(self, port: Any, message: object) -> None:
        """Put a message on a port."""
        ...

    async def receive(self, port: Any) -> Any:
        """Take the next message."""
        ...


class Lock(Protocol):
    """A mutex or a spin lock."""

    @property
    def name(self) -> str:
        """Its name in the kernel."""
        ...


class Interrupt(Protocol):
    """A latched interrupt line."""

    async def take(self, cpu: OwnCpu) -> None:
        """Wait for the edge and clear it."""
        ...


class QueueTail(Protocol):
    """The register that says how far a queue in memory is filled: a store that hardware waits for."""

    async def move(self, cpu: OwnCpu, tail: int) -> None:
        """What lies before `tail` is the hardware's from here."""
        ...


class Workqueue(Protocol):
    """A kernel work queue."""

    async def queue(self, work: object) -> bool:
        """Add a work; False if it is pending, as then it runs once."""
        ...

    async def take(self, cpu: OwnCpu) -> tuple[int, Any]:
        """The next work, with its number."""
        ...

    async def finish(self, number: int) -> None:
        """Say that the work which was taken is done."""
        ...

    async def flush(self, cpu: OwnCpu) -> None:
        """Wait for the works queued before the call."""
        ...
