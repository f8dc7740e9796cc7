"""A processor that several actors share: while one of them may not be left, the others stand still.

Actors are on a processor of their own unless a scenario says otherwise. On a shared one a hard interrupt handler comes
between any two steps of a thread, unless interrupts are off there, and runs to its end before the thread goes on. A
thread comes between two steps of another, unless that one holds a spin lock or has interrupts off.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any, ClassVar, Protocol

from .session import Session
from .step import MemoryStep, Step, operation


class Runs(Protocol):
    """Who runs on it: a thread, or a handler."""

    name: str


class Processor:
    """A CPU as `smp_processor_id` numbers them. A session lends it to one world after the other."""

    space: ClassVar[str] = "processor"

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        self.lent = 0
        self.threads = 0
        """How many actors are on it, without handlers."""
        self.views: Any = None
        """What the memory model keeps of it; None on sequentially consistent memory."""
        self._session = session
        mask = session.resources.mask
        self.claim = mask(("processor", name, "claim"))
        """Each step of a thread looks at it; a step from which on others stand still writes it."""
        self.restored = mask(("processor", name, "restored"))
        """What the end of a handler, or of a section with interrupts off, gives."""
        self._enabled = mask(("processor", name, "preemption"))
        """What a thread gives that can be preempted again. A handler does not wait for that."""
        self._preempt_disable = Step(f"preempt_disable on {name}", writes=self.claim)
        self._preempt_enable = Step(f"preempt_enable on {name}", gives=self._enabled)
        self._irq_save = Step(f"local_irq_save on {name}", writes=self.claim)
        self._irq_restore = Step(f"local_irq_restore on {name}", gives=self.restored)
        self.renew()

    def renew(self) -> None:
        """Idle, with interrupts on."""
        self.threads = 0
        self.views = None
        self._handler: Runs | None = None
        self._masked: Runs | None = None
        self._masks = 0
        self._stays: Runs | None = None
        self._spins = 0

    # Hard interrupts

    def can_interrupt(self) -> bool:
        """Whether a handler can begin: none runs, and interrupts are on."""
        return self._handler is None and self._masked is None

    def begins(self, handler: Runs) -> None:
        """A handler begins, in a step that writes `claim` and takes `restored`."""
        self._handler = handler

    def ends(self) -> None:
        """The handler returns, in a step that gives `restored`."""
        self._handler = None

    # Sections that nobody interrupts

    def interrupts_off(self, thread: Runs) -> Generator[Step, int, None]:
        """local_irq_save(): one step, and none where interrupts are off."""
        if self._handler is not thread:
            if not self._masks:
                yield self._irq_save
                self._masked = thread
            self._masks += 1

    def interrupts_on(self, thread: Runs) -> Generator[Step, int, None]:
        """local_irq_restore(): one step, and none within another such section."""
        if self._handler is not thread:
            if self._masks == 1:
                yield self._irq_restore
                self._masked = None
            self._masks -= 1

    def stay(self, thread: Runs) -> Generator[Step, int, None]:
        """preempt_disable(), as who takes a spin lock does: one step, if there is another thread to be kept away."""
        if self._handler is not thread and self.threads > 1:
            if not self._spins:
                yield self._preempt_disable
                self._stays = thread
            self._spins += 1

    def leave(self, thread: Runs) -> Generator[Step, int, None]:
        """preempt_enable()."""
        if self._handler is not thread and self.threads > 1:
            if self._spins == 1:
                yield self._preempt_enable
                self._stays = None
            self._spins -= 1

    # Threads

    @operation
    def carry(self, thread: Runs, made: Awaitable[None]) -> Generator[Step, int, None]:
        """Have a thread take its steps here: each only when the processor is not kept by another."""
        inner: Any = made.__await__()
        outcome: int | None = None
        error: BaseException | None = None
        has_begun = False
        while True:
            try:
                step = inner.send(outcome) if error is None else inner.throw(error)
            except StopIteration:
                return
            finally:
                if has_begun:
                    self._was_here()
            try:
                outcome, error, has_begun = (yield self._gated(thread, step)), None, True
            except BaseException as thrown:
                outcome, error, has_begun = None, thrown, False

    def _gated(self, thread: Runs, step: Step) -> Step:
        """The step as it is announced."""
        ready, blocked = step.ready, step.blocked
        if type(step) is not Step and type(step) is not MemoryStep:
            return step  # what is no step is refused by whoever runs the world

        def can_go() -> bool:
            return self._keeper(thread) is None and (ready is None or ready())

        def waits_for() -> str:
            keeper = self._keeper(thread)
            if keeper is not None:
                return f"processor {self.name}, {keeper}"
            return blocked() if blocked is not None else step.what

        reads, writes, takes = self._touched(step)
        made: Step
        if isinstance(step, MemoryStep):
            made = MemoryStep(step.what, reads, writes, step.count, step.target, takes=takes)
            made.gives, made.idle = step.gives, step.idle
        else:
            made = Step(step.what, reads, writes, takes=takes, gives=step.gives, options=step.options, idle=step.idle)
        made.ready, made.blocked, made.access = can_go, waits_for, step.access
        made.spins, made.times_out = step.spins, step.times_out
        made.wakes = step.wakes | self.claim | self.restored | self._enabled
        return made

    def _touched(self, step: Step) -> tuple[int, int, int]:
        takes = step.takes | self.restored | self._enabled
        if self.views is None:
            return step.reads | self.claim, step.writes, takes
        # What one thread does is before what the next one does: on such memory the order of any two can be told.
        return step.reads, step.writes | self.claim, takes

    def _was_here(self) -> None:
        """Who performed the step may have put another one into the record."""
        step = self._session.steps[-1]
        reads, writes, takes = self._touched(step)
        if (reads, writes, takes) != (step.reads, step.writes, step.takes):
            made = Step(
                step.what,
                reads,
                writes,
                takes=takes,
                gives=step.gives,
                ready=step.ready,
                blocked=step.blocked,
                options=step.options,
                idle=step.idle,
                wakes=step.wakes,
                access=step.access,
                times_out=step.times_out,
            )
            made.timed_out = step.timed_out
            self._session.steps[-1] = made

    def _keeper(self, thread: Runs) -> str | None:
        """Who keeps the processor from a thread."""
        if self._handler is not None:
            return f"where {self._handler.name} handles an interrupt"
        if self._masked is not None and self._masked is not thread:
            return f"where {self._masked.name} has interrupts off"
        if self._stays is not None and self._stays is not thread:
            return f"where {self._stays.name} cannot be preempted"
        return None
