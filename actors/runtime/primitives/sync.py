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
        if self.spins and thread.processor is not None:
            yield from thread.processor.stay(thread)
        yield self._acquire
        self._take(thread)
        thread.took(self._held)

    @operation
    def try_acquire(self, thread: Thread) -> Generator[Step, int, bool]:
        """mutex_trylock(), spin_trylock(): one step that never waits; whether it took the lock."""
        thread.acts(self._try.what)
        if self.spins and thread.processor is not None:
            yield from thread.processor.stay(thread)
        yield self._try
        if self.holder is None:
            self._take(thread)
            thread.took(self._held, waited=False)
            return True
        if self.spins and thread.processor is not None:
            yield from thread.processor.leave(thread)
        return False

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
            if thread.processor is not None:
                yield from thread.processor.leave(thread)

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
    """spinlock_t: a lock under which nothing may sleep, and nobody else runs on this processor but interrupts."""

    spins = True

    async def acquire_irqsave(self, thread: Thread) -> None:
        """spin_lock_irqsave(): interrupts are off on this processor, also while it waits for the lock."""
        await local_irq_save(thread)
        await self.acquire(thread)

    async def release_irqrestore(self, thread: Thread) -> None:
        """spin_unlock_irqrestore(); BrokenRule for who does not hold it, or has interrupts on."""
        await self.release(thread)
        await local_irq_restore(thread)


_IRQS_OFF = "interrupts off"


@operation
def local_irq_save(thread: Thread) -> Generator[Step, int, None]:
    """local_irq_save(): no interrupt is handled on this processor until `local_irq_restore` was called as often.

    It is a step on a processor that is shared, and none on one that nobody else is on, nor where interrupts are off.
    """
    thread.acts("local_irq_save")
    if thread.processor is not None:
        yield from thread.processor.interrupts_off(thread)
    thread.took(_IRQS_OFF, waited=False)
    thread.spinning.append(f"has {_IRQS_OFF}")


@operation
def local_irq_restore(thread: Thread) -> Generator[Step, int, None]:
    """local_irq_restore(): as the last `local_irq_save` found it; BrokenRule for who has not called that."""
    thread.acts("local_irq_restore")
    if _IRQS_OFF not in thread.holds:
        thread.refuse(BrokenRule(f"{thread.name} restores interrupts, which it has not switched off"))
    thread.holds.remove(_IRQS_OFF)
    thread.spinning.remove(f"has {_IRQS_OFF}")
    if thread.processor is not None:
        yield from thread.processor.interrupts_on(thread)


class RwSemaphore:
    """struct rw_semaphore: readers share, a writer is alone, and while one waits, readers wait behind it.

    Where it differs from an rwlock_t, in whether a free lock goes to a reader first, the writer may as well have come
    later.
    """

    space: ClassVar[str] = "rwlock"
    spins = False

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
        self._spins = f"holds rwlock {name}"
        self._release_read = Step(f"read unlock {name}", reads=read_done, gives=read_done)
        self._release_write = Step(f"write unlock {name}", reads=write_done, gives=write_done)

    def renew(self) -> None:
        """Free."""
        self.readers = []
        self.writer = None
        self.waiting = []
        self.since = 0

    @operation
    def acquire_read(self, thread: Thread) -> Generator[Step, int, None]:
        """down_read(), read_lock(): one step; not offered while a writer holds the lock or waits for it."""
        yield from self._enter(thread, f"read lock {self.name}")
        yield self._acquire_read_first if thread.in_interrupt else self._acquire_read
        self._read(thread)

    @operation
    def try_acquire_read(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_read_trylock(), read_trylock(): one step; False while a writer holds the lock or waits for it."""
        yield from self._try_to_enter(thread, self._try_read)
        if not self._is_readable():
            yield from self._leave(thread)
            return False
        self._read(thread, waited=False)
        return True

    @operation
    def release_read(self, thread: Thread) -> Generator[Step, int, None]:
        """up_read(), read_unlock(): one step; BrokenRule for who does not hold it."""
        thread.acts(self._release_read.what)
        if thread not in self.readers:
            thread.refuse(BrokenRule(f"{thread.name} read-unlocks {self.name}: it does not hold it"))
        yield self._release_read
        self.readers.remove(thread)
        yield from self._released(thread)

    @operation
    def acquire_write(self, thread: Thread) -> Generator[Step, int, None]:
        """down_write(), write_lock(): one step, or two if somebody holds the lock: from the first on it waits, the
        second is not offered before."""
        yield from self._enter(thread, f"write lock {self.name}")
        yield self._look
        if not self._is_free():
            self.waiting.append(thread)
            yield self._acquire_write
            self.waiting.remove(thread)
        self._write(thread)

    @operation
    def try_acquire_write(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_write_trylock(), write_trylock(): one step; False while somebody holds the lock or waits for it."""
        yield from self._try_to_enter(thread, self._try_write)
        if not self._is_free() or self.waiting:
            yield from self._leave(thread)
            return False
        self._write(thread, waited=False)
        return True

    @operation
    def release_write(self, thread: Thread) -> Generator[Step, int, None]:
        """up_write(), write_unlock(): one step; BrokenRule for who does not hold it."""
        thread.acts(self._release_write.what)
        if self.writer is not thread:
            thread.refuse(BrokenRule(f"{thread.name} write-unlocks {self.name}: it does not hold it"))
        yield self._release_write
        self.writer = None
        yield from self._released(thread)

    def _enter(self, thread: Thread, what: str) -> Generator[Step, int, None]:
        """Before it waits for the lock."""
        if not self.spins:
            thread.might_sleep(what)
        thread.acts(what)
        if self.spins and thread.processor is not None:
            yield from thread.processor.stay(thread)

    def _try_to_enter(self, thread: Thread, step: Step) -> Generator[Step, int, None]:
        thread.acts(step.what)
        if self.spins and thread.processor is not None:
            yield from thread.processor.stay(thread)
        yield step

    def _released(self, thread: Thread) -> Generator[Step, int, None]:
        thread.holds.remove(self._held)
        if self.spins:
            thread.spinning.remove(self._spins)
            yield from self._leave(thread)

    def _leave(self, thread: Thread) -> Generator[Step, int, None]:
        if self.spins and thread.processor is not None:
            yield from thread.processor.leave(thread)

    def _read(self, thread: Thread, *, waited: bool = True) -> None:
        self.readers.append(thread)
        self._taken(thread, waited)

    def _write(self, thread: Thread, *, waited: bool = True) -> None:
        self.writer = thread
        self._taken(thread, waited)

    def _taken(self, thread: Thread, waited: bool) -> None:
        self.since = thread.now
        thread.took(self._held, waited=waited)
        if self.spins:
            thread.spinning.append(self._spins)

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


class RwLock(RwSemaphore):
    """rwlock_t: a reader-writer lock under which nothing may sleep.

    A reader in interrupt context, who may have come upon a reader, waits only for a writer that holds it.
    """

    spins = True


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
