"""Reader-writer locks: each wait is a step that is not offered until it can be taken, as with other locks (`sync`)."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import ClassVar

from .ordering import Made
from .session import Session
from .step import BrokenRule, Step, operation
from .sync import Signal
from .thread import Thread


class RwSemaphore:
    """struct rw_semaphore: readers share, a writer is alone, and while one waits, readers wait behind it.

    Where it differs from an rwlock_t, in whether a free lock goes to a reader first, the writer may as well have come
    later.
    """

    space: ClassVar[str] = "rwlock"
    spins = False

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
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
    def acquire_read_killable(self, thread: Thread, signal: Signal) -> Generator[Step, int, bool]:
        """down_read_killable(): one step; False if the signal came while it had to wait."""
        thread.might_sleep(f"read lock {self.name}")
        yield Step(
            f"read lock {self.name}, killable",
            self._acquire_read.reads | signal.mask,
            self._acquire_read.takes,  # it races with the end of a write lock, since the signal may have come first
            gives=self._acquire_read.gives,
            ready=lambda: self._is_readable() or signal.is_pending(),
            blocked=self._blocked_reader,
        )
        if not self._is_readable():
            self._session.made_of(Made.LOAD)
            return False
        self._read(thread)
        return True

    @operation
    def try_acquire_read(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_read_trylock(), read_trylock(): one step; False while a writer holds the lock or waits for it."""
        return (yield from self._try(thread, self._try_read, self._is_readable, self._read))

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
    def acquire_write_killable(self, thread: Thread, signal: Signal) -> Generator[Step, int, bool]:
        """down_write_killable(): False if the signal came and the lock was held when it was tried last; then one more
        step lets those go who waited behind it."""
        thread.might_sleep(f"write lock {self.name}")
        sleep = Step(
            f"write lock {self.name}, killable",
            self._acquire_write.writes | signal.mask,
            self._acquire_write.takes,
            ready=lambda: self._is_free() or signal.is_pending(),
            blocked=self._blocked,
            wakes=self._acquire_write.wakes | signal.mask,
        )
        is_waiting = False
        while True:
            yield self._look
            if self._is_free():
                break
            self._session.made_of(Made.LOAD)
            if not is_waiting:
                self.waiting.append(thread)
                is_waiting = True
            yield signal.look
            if signal.is_pending():
                yield Step(f"write lock {self.name}: leave", writes=self._acquire_write.writes)
                self._session.made_of(Made.LOAD)
                self.waiting.remove(thread)
                return False
            yield sleep
            self._session.made_of(Made.LOAD)
        if is_waiting:
            self.waiting.remove(thread)
        self._write(thread)
        return True

    @operation
    def try_acquire_write(self, thread: Thread) -> Generator[Step, int, bool]:
        """down_write_trylock(), write_trylock(): one step; False while somebody holds the lock or waits for it."""
        return (yield from self._try(thread, self._try_write, self._is_writable, self._write))

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
        yield from self._stay(thread, what)

    def _try(
        self, thread: Thread, step: Step, is_open: Callable[[], bool], take: Callable[[Thread, bool], None]
    ) -> Generator[Step, int, bool]:
        """Take the lock in `step` if it is open then; whether it was."""
        yield from self._stay(thread, step.what)
        yield step
        if not is_open():
            self._session.made_of(Made.LOAD)
            yield from self._leave(thread)
            return False
        take(thread, False)
        return True

    def _stay(self, thread: Thread, what: str) -> Generator[Step, int, None]:
        thread.acts(what)
        if self.spins and thread.processor is not None:
            yield from thread.processor.stay(thread)

    def _released(self, thread: Thread) -> Generator[Step, int, None]:
        thread.holds.remove(self._held)
        if self.spins:
            thread.spinning.remove(self._spins)
            yield from self._leave(thread)

    def _leave(self, thread: Thread) -> Generator[Step, int, None]:
        if self.spins and thread.processor is not None:
            yield from thread.processor.leave(thread)

    def _read(self, thread: Thread, waited: bool = True) -> None:
        self.readers.append(thread)
        self._taken(thread, waited)

    def _write(self, thread: Thread, waited: bool = True) -> None:
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

    def _is_writable(self) -> bool:
        return self._is_free() and not self.waiting

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
