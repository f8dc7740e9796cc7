"""Locks and interrupts: each wait is a step that is not offered until it can be taken.

A session lends them to one world after the other, so that their steps are made once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar

from .audit import FootprintError
from .session import Session
from .step import BrokenRule, Step, operation
from .step import MisuseError as MisuseError  # who uses primitives imports it from here
from .thread import Thread


class Lock:
    """A mutex. `spins=True` makes it a spin lock: whoever holds one may not do anything that can sleep.

    Acquires race with each other; a release enables the next acquire without racing with it.
    """

    space: ClassVar[str] = "lock"
    spins = False

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.holder: Thread | None = None
        self.since = 0
        self.lent = 0
        take = session.resources.mask(("lock", name, "acquire"))
        free = session.resources.mask(("lock", name, "release"))
        self._held = f"lock {name}"
        self._spins = f"holds spin lock {name}"
        self._acquire = Step(
            f"lock {name}",
            writes=take,
            takes=free,
            ready=self._is_free,
            blocked=self._blocked,
            wakes=take | free,
        )
        self._try = Step(f"trylock {name}", writes=take | free)
        # Whether a trylock comes before a release can be seen; two releases never lie side by side.
        self._release = Step(f"unlock {name}", reads=free, gives=free)

    def renew(self) -> None:
        """Free."""
        self.holder = None
        self.since = 0

    @operation
    def acquire(self, thread: Thread) -> Generator[Step, int, None]:
        """One step; not offered while somebody holds the lock. Taking it twice is a deadlock, and reported so."""
        thread.acts(self._acquire.what)
        if not self.spins and thread.spinning:
            thread.might_sleep(f"lock {self.name}")
        yield self._acquire
        self._take(thread)
        thread.took(self._held)

    @operation
    def try_acquire(self, thread: Thread) -> Generator[Step, int, bool]:
        """mutex_trylock(), spin_trylock(): one step that never waits; whether it took the lock."""
        thread.acts(self._try.what)
        yield self._try
        if self.holder is not None:
            return False
        self._take(thread)
        thread.took(self._held, waited=False)
        return True

    @operation
    def release(self, thread: Thread) -> Generator[Step, int, None]:
        """One step, always possible for the holder; BrokenRule for anybody else."""
        thread.acts(self._release.what)
        if self.holder is not thread:
            owner = "nobody" if self.holder is None else self.holder.name
            thread.refuse(BrokenRule(f"{thread.name} unlocks {self.name}: it is held by {owner}"))
        yield self._release
        self.holder = None
        thread.holds.remove(self._held)
        if self.spins:
            thread.spinning.remove(self._spins)

    def _take(self, thread: Thread) -> None:
        self.holder = thread
        self.since = thread.now
        if self.spins:
            thread.spinning.append(self._spins)

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
    """A reader-writer lock: readers share, a writer is alone, and while one waits, readers wait behind it.

    So do an rwsem and an rwlock_t. Where they differ, in whether a free lock goes to a reader first, the writer may as
    well have come later. A reader in interrupt context waits for a writer that holds an rwlock_t, and for no other.
    """

    space: ClassVar[str] = "rwlock"

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.readers: list[Thread] = []
        self.writer: Thread | None = None
        self.waiting: list[Thread] = []
        """Writers that have found the lock held."""
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
            blocked=self._blocked_reader,
            wakes=take | write_done,
        )
        self._acquire_read_first = Step(
            f"read lock {name} in interrupt",
            reads=take,
            takes=write_done,
            gives=read_begun,
            ready=self._has_no_writer,
            blocked=self._blocked,
            wakes=take | write_done,
        )
        # Whether it has to wait is decided by who comes first, a release or this; who waits already does not race.
        self._look = Step(f"write lock {name}", writes=take | read_done | write_done)
        self._acquire_write = Step(
            f"write lock {name}, having waited",
            writes=take,
            takes=read_done | write_done,
            ready=self._is_free,
            blocked=self._blocked,
            wakes=take | read_begun | read_done | write_done,
        )
        # Both fail while a writer waits. A read trylock depends on the end of a write lock, but of no read lock.
        self._try_read = Step(f"read trylock {name}", reads=take, writes=write_done)
        self._try_write = Step(f"write trylock {name}", writes=take | read_done | write_done)
        self._held = f"rwlock {name}"
        self._release_read = Step(f"read unlock {name}", reads=read_done, gives=read_done)
        self._release_write = Step(f"write unlock {name}", reads=write_done, gives=write_done)

    def renew(self) -> None:
        """Free."""
        self.readers = []
        self.writer = None
        self.waiting = []
        self.since = 0

    @operation
    def acquire_read(self, thread: Thread, *, in_interrupt: bool = False) -> Generator[Step, int, None]:
        """One step; not offered while a writer holds the lock or, but for an interrupt, waits for it."""
        thread.might_sleep(f"read lock {self.name}")
        yield self._acquire_read_first if in_interrupt else self._acquire_read
        self._read(thread)

    @operation
    def try_acquire_read(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_read_trylock(), read_trylock(): one step; False while a writer holds the lock or waits for it."""
        thread.acts(self._try_read.what)
        yield self._try_read
        if not self._is_readable():
            return False
        self._read(thread, waited=False)
        return True

    @operation
    def release_read(self, thread: Thread) -> Generator[Step, int, None]:
        """One step; BrokenRule for who does not hold it."""
        thread.acts(self._release_read.what)
        if thread not in self.readers:
            thread.refuse(BrokenRule(f"{thread.name} read-unlocks {self.name}: it does not hold it"))
        yield self._release_read
        self.readers.remove(thread)
        thread.holds.remove(self._held)

    @operation
    def acquire_write(self, thread: Thread) -> Generator[Step, int, None]:
        """One step, or two if somebody holds the lock: from the first on it waits, the second is not offered before."""
        thread.might_sleep(f"write lock {self.name}")
        yield self._look
        if not self._is_free():
            self.waiting.append(thread)
            yield self._acquire_write
            self.waiting.remove(thread)
        self._write(thread)

    @operation
    def try_acquire_write(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_write_trylock(), write_trylock(): one step; False while somebody holds the lock or waits for it."""
        thread.acts(self._try_write.what)
        yield self._try_write
        if not self._is_free() or self.waiting:
            return False
        self._write(thread, waited=False)
        return True

    @operation
    def release_write(self, thread: Thread) -> Generator[Step, int, None]:
        """One step; BrokenRule for who does not hold it."""
        thread.acts(self._release_write.what)
        if self.writer is not thread:
            thread.refuse(BrokenRule(f"{thread.name} write-unlocks {self.name}: it does not hold it"))
        yield self._release_write
        self.writer = None
        thread.holds.remove(self._held)

    def _read(self, thread: Thread, *, waited: bool = True) -> None:
        self.readers.append(thread)
        self.since = thread.now
        thread.took(self._held, waited=waited)

    def _write(self, thread: Thread, *, waited: bool = True) -> None:
        self.writer = thread
        self.since = thread.now
        thread.took(self._held, waited=waited)

    def _is_readable(self) -> bool:
        return self.writer is None and not self.waiting

    def _has_no_writer(self) -> bool:
        return self.writer is None

    def _is_free(self) -> bool:
        return self.writer is None and not self.readers

    def _blocked(self) -> str:
        held_by = self.readers if self.writer is None else [self.writer]
        holders = ", ".join(thread.name for thread in held_by) or "nobody"
        return f"rwlock {self.name}, held by {holders} since step {self.since}"

    def _blocked_reader(self) -> str:
        behind = ", ".join(cpu.name for cpu in self.waiting)
        return f"{self._blocked()}{f', behind {behind}' if behind else ''}"


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
    def take(self, thread: Thread) -> Generator[Step, int, None]:
        """The handler's wait: one step, offered while the line is latched; it clears the latch."""
        thread.might_sleep(f"irq {self.name}")
        yield self._taken
        self.pending = False
        thread.waited_for(self._latched)

    def _is_pending(self) -> bool:
        return self.pending
