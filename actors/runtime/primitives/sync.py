"""Locks and interrupts: each wait is a step that is not offered until it can be taken.

A session lends them to one world after the other, so that their steps are made once.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import ClassVar, Protocol

from .audit import FootprintError
from .ordering import Made
from .session import Session
from .step import BrokenRule, Step, operation
from .step import MisuseError as MisuseError  # who uses primitives imports it from here
from .thread import Thread


class Signal(Protocol):
    """What ends a wait that can be killed."""

    mask: int
    look: Step
    """The step of who looks whether it is there."""

    def is_pending(self) -> bool:
        """Whether it was sent."""
        ...


class Lock:
    """A mutex. `spins=True` makes it a spin lock: whoever holds one may not do anything that can sleep.

    Acquires race with each other; a release enables the next acquire without racing with it.
    """

    space: ClassVar[str] = "lock"
    spins = False

    def __init__(self, session: Session, name: str) -> None:
        self._session = session
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
            spins=self.spins,
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
        """mutex_lock(), spin_lock(): one step; not offered while somebody holds the lock. Taking it twice is a
        deadlock, and reported so."""
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
        self._session.made_of(Made.LOAD)
        if self.spins and thread.processor is not None:
            yield from thread.processor.leave(thread)
        return False

    @operation
    def acquire_killable(self, thread: Thread, signal: Signal) -> Generator[Step, int, bool]:
        """mutex_lock_killable(): False if the signal came and the lock was held when it was tried last. Each try, each
        look at the signal, and each sleep until one of the two may have changed is a step."""
        thread.might_sleep(f"lock {self.name}")
        sleep = Step(
            f"lock {self.name}, killable",
            self._acquire.writes | signal.mask,
            self._acquire.takes,  # it races with who gives the lock back, since the signal may have come first
            ready=lambda: self._is_free() or signal.is_pending(),
            blocked=self._blocked,
        )
        while True:
            yield self._try
            if self.holder is None:
                self._take(thread)
                thread.took(self._held)
                return True
            self._session.made_of(Made.LOAD)
            yield signal.look
            if signal.is_pending():
                return False
            yield sleep
            self._session.made_of(Made.LOAD)

    @operation
    def release(self, thread: Thread) -> Generator[Step, int, None]:
        """mutex_unlock(), spin_unlock(): one step, always possible for the holder; BrokenRule for anybody else."""
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
