"""Locks, completions, interrupts and work queues: each wait is a step that is not offered until it can be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .step import Step, perform

if TYPE_CHECKING:
    from .world import Cpu, World


class MisuseError(Exception):
    """Software under test broke a rule of the primitives: sleep under a spin lock, unlock by a stranger …"""


class Lock:
    """A mutex. `spins=True` makes it a spin lock: whoever holds one may not do anything that can sleep.

    Acquires race with each other; a release enables the next acquire without racing with it.
    """

    spins = False

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.holder: int | None = None
        self.since = 0
        self._world = world
        self._take = world.mask(("lock", name, "acquire"))
        self._free = world.mask(("lock", name, "release"))

    async def acquire(self, cpu: Cpu) -> None:
        """One step; not offered while somebody holds the lock. Taking it twice is a deadlock, and reported so."""
        if not self.spins:
            cpu.might_sleep(f"lock {self.name}")
        await perform(
            Step(f"lock {self.name}", writes=self._take, takes=self._free, ready=self._is_free, blocked=self._blocked)
        )
        self.holder = cpu.number
        self.since = self._world.index
        if self.spins:
            cpu.spinning.append(self.name)

    async def release(self, cpu: Cpu) -> None:
        """One step, always possible for the holder; MisuseError for anybody else."""
        if self.holder != cpu.number:
            owner = "nobody" if self.holder is None else self._world.actors[self.holder].name
            raise MisuseError(f"{cpu.name} unlocks {self.name}: it is held by {owner}")
        await perform(Step(f"unlock {self.name}", gives=self._free))
        self.holder = None
        if self.spins:
            cpu.spinning.remove(self.name)

    def _is_free(self) -> bool:
        return self.holder is None

    def _blocked(self) -> str:
        if self.holder is None:
            return f"lock {self.name} (free)"
        holder = self._world.actors[self.holder].name
        return f"lock {self.name}, held by {holder} since step {self.since}"


class SpinLock(Lock):
    """A lock under which nothing may sleep."""

    spins = True


class RwLock:
    """A reader-writer lock: readers share, a writer is alone."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.readers: list[int] = []
        self.writer: int | None = None
        self.since = 0
        self._world = world
        self._take = world.mask(("rwlock", name, "acquire"))
        self._read_begun = world.mask(("rwlock", name, "read acquire"))
        """Nobody takes it: it says that a reader changes what a writer waits for, though readers do not race."""
        self._read_done = world.mask(("rwlock", name, "read release"))
        self._write_done = world.mask(("rwlock", name, "write release"))

    async def acquire_read(self, cpu: Cpu) -> None:
        """One step; not offered while a writer holds the lock."""
        cpu.might_sleep(f"read lock {self.name}")
        await perform(
            Step(
                f"read lock {self.name}",
                reads=self._take,
                takes=self._write_done,
                gives=self._read_begun,
                ready=lambda: self.writer is None,
                blocked=self._blocked,
            )
        )
        self.readers.append(cpu.number)
        self.since = self._world.index

    async def release_read(self, cpu: Cpu) -> None:
        """One step; MisuseError for who does not hold it."""
        if cpu.number not in self.readers:
            raise MisuseError(f"{cpu.name} read-unlocks {self.name}: it does not hold it")
        await perform(Step(f"read unlock {self.name}", gives=self._read_done))
        self.readers.remove(cpu.number)

    async def acquire_write(self, cpu: Cpu) -> None:
        """One step; not offered while anybody holds the lock."""
        cpu.might_sleep(f"write lock {self.name}")
        await perform(
            Step(
                f"write lock {self.name}",
                writes=self._take,
                takes=self._read_done | self._write_done,
                ready=lambda: self.writer is None and not self.readers,
                blocked=self._blocked,
            )
        )
        self.writer = cpu.number
        self.since = self._world.index

    async def release_write(self, cpu: Cpu) -> None:
        """One step; MisuseError for who does not hold it."""
        if self.writer != cpu.number:
            raise MisuseError(f"{cpu.name} write-unlocks {self.name}: it does not hold it")
        await perform(Step(f"write unlock {self.name}", gives=self._write_done))
        self.writer = None

    def _blocked(self) -> str:
        numbers = self.readers if self.writer is None else [self.writer]
        holders = ", ".join(self._world.actors[number].name for number in numbers) or "nobody"
        return f"rwlock {self.name}, held by {holders} since step {self.since}"


class Interrupt:
    """A latched interrupt line: raising it twice before the handler runs is raising it once (an edge is an edge)."""

    def __init__(self, world: World, name: str) -> None:
        self.name = name
        self.pending = False
        self.resource = ("irq", name)
        self._mask = world.mask(self.resource)

    def raise_now(self) -> None:
        """Latch the edge, inside a step that declared a write of `resource`."""
        self.pending = True

    async def take(self, cpu: Cpu) -> None:
        """The handler's wait: one step, offered while the line is latched; it clears the latch."""
        cpu.might_sleep(f"irq {self.name}")
        await perform(
            Step(
                f"irq {self.name}",
                writes=self._mask,
                ready=self._is_pending,
                blocked=lambda: f"irq {self.name}",
                idle=True,
            )
        )
        self.pending = False

    def _is_pending(self) -> bool:
        return self.pending
