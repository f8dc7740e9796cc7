"""Locks and interrupts: each wait is a step that is not offered until it can be taken.

A session lends them to one world after the other, so that their steps are made once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, ClassVar

from .audit import FootprintError
from .session import Session
from .step import BrokenRule, Step, operation
from .step import MisuseError as MisuseError  # who uses primitives imports it from here

if TYPE_CHECKING:
    from ..world import Cpu


class Lock:
    """A mutex. `spins=True` makes it a spin lock: whoever holds one may not do anything that can sleep.

    Acquires race with each other; a release enables the next acquire without racing with it.
    """

    space: ClassVar[str] = "lock"
    spins = False

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.holder: Cpu | None = None
        self.since = 0
        self.lent = 0
        take = session.resources.mask(("lock", name, "acquire"))
        free = session.resources.mask(("lock", name, "release"))
        self._acquire = Step(
            f"lock {name}",
            writes=take,
            takes=free,
            ready=self._is_free,
            blocked=self._blocked,
            wakes=take | free,
        )
        self._release = Step(f"unlock {name}", gives=free)

    def renew(self) -> None:
        """Free."""
        self.holder = None
        self.since = 0

    @operation
    def acquire(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step; not offered while somebody holds the lock. Taking it twice is a deadlock, and reported so."""
        cpu.acts(self._acquire.what)
        if not self.spins and cpu.spinning:
            cpu.might_sleep(f"lock {self.name}")
        yield self._acquire
        self.holder = cpu
        self.since = cpu.now
        if self.spins:
            cpu.spinning.append(self.name)

    @operation
    def release(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step, always possible for the holder; BrokenRule for anybody else."""
        cpu.acts(self._release.what)
        if self.holder is not cpu:
            owner = "nobody" if self.holder is None else self.holder.name
            cpu.refuse(BrokenRule(f"{cpu.name} unlocks {self.name}: it is held by {owner}"))
        yield self._release
        self.holder = None
        if self.spins:
            cpu.spinning.remove(self.name)

    def _is_free(self) -> bool:
        return self.holder is None

    def _blocked(self) -> str:
        if self.holder is None:
            return f"lock {self.name} (free)"
        return f"lock {self.name}, held by {self.holder.name} since step {self.since}"


class SpinLock(Lock):
    """A lock under which nothing may sleep."""

    spins = True


class RwLock:
    """A reader-writer lock: readers share, a writer is alone."""

    space: ClassVar[str] = "rwlock"

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.readers: list[Cpu] = []
        self.writer: Cpu | None = None
        self.since = 0
        self.lent = 0
        mask = session.resources.mask
        take = mask(("rwlock", name, "acquire"))
        # Nobody takes this one: it says that a reader changes what a writer waits for, though readers do not race.
        read_begun = mask(("rwlock", name, "read acquire"))
        read_done = mask(("rwlock", name, "read release"))
        write_done = mask(("rwlock", name, "write release"))
        self._acquire_read = Step(
            f"read lock {name}",
            reads=take,
            takes=write_done,
            gives=read_begun,
            ready=self._is_readable,
            blocked=self._blocked,
            wakes=take | write_done,
        )
        self._acquire_write = Step(
            f"write lock {name}",
            writes=take,
            takes=read_done | write_done,
            ready=self._is_free,
            blocked=self._blocked,
            wakes=take | read_begun | read_done | write_done,
        )
        self._release_read = Step(f"read unlock {name}", gives=read_done)
        self._release_write = Step(f"write unlock {name}", gives=write_done)

    def renew(self) -> None:
        """Free."""
        self.readers = []
        self.writer = None
        self.since = 0

    @operation
    def acquire_read(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step; not offered while a writer holds the lock."""
        cpu.might_sleep(f"read lock {self.name}")
        yield self._acquire_read
        self.readers.append(cpu)
        self.since = cpu.now

    @operation
    def release_read(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step; BrokenRule for who does not hold it."""
        cpu.acts(self._release_read.what)
        if cpu not in self.readers:
            cpu.refuse(BrokenRule(f"{cpu.name} read-unlocks {self.name}: it does not hold it"))
        yield self._release_read
        self.readers.remove(cpu)

    @operation
    def acquire_write(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step; not offered while anybody holds the lock."""
        cpu.might_sleep(f"write lock {self.name}")
        yield self._acquire_write
        self.writer = cpu
        self.since = cpu.now

    @operation
    def release_write(self, cpu: Cpu) -> Generator[Step, int, None]:
        """One step; BrokenRule for who does not hold it."""
        cpu.acts(self._release_write.what)
        if self.writer is not cpu:
            cpu.refuse(BrokenRule(f"{cpu.name} write-unlocks {self.name}: it does not hold it"))
        yield self._release_write
        self.writer = None

    def _is_readable(self) -> bool:
        return self.writer is None

    def _is_free(self) -> bool:
        return self.writer is None and not self.readers

    def _blocked(self) -> str:
        held_by = self.readers if self.writer is None else [self.writer]
        holders = ", ".join(cpu.name for cpu in held_by) or "nobody"
        return f"rwlock {self.name}, held by {holders} since step {self.since}"


class Interrupt:
    """A latched interrupt line: raising it twice before the handler runs is raising it once (an edge is an edge)."""

    space: ClassVar[str] = "irq"

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.pending = False
        self.lent = 0
        self.resource = ("irq", name)
        mask = self._mask = session.resources.mask(self.resource)
        self._taken = Step(f"irq {name}", writes=mask, ready=self._is_pending, idle=True, wakes=mask)
        self._session = session
        self._latched = 0

    def renew(self) -> None:
        """Not latched."""
        self.pending = False
        self._latched = 0

    def raise_now(self) -> None:
        """Latch the edge, inside a step that declared a write of `resource`; FootprintError in any other.

        Called while a world is filled, it is latched from the beginning.
        """
        steps = self._session.steps
        if steps and not steps[-1].writes & self._mask:
            raise FootprintError(f"step `{steps[-1].what}` raises irq {self.name}, which it does not declare")
        if not self.pending:
            self.pending = True
            self._latched |= 1 << len(steps) >> 1

    @operation
    def take(self, cpu: Cpu) -> Generator[Step, int, None]:
        """The handler's wait: one step, offered while the line is latched; it clears the latch."""
        cpu.might_sleep(f"irq {self.name}")
        yield self._taken
        self.pending = False
        cpu.waited_for(self._latched)

    def _is_pending(self) -> bool:
        return self.pending
