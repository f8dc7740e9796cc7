"""Completions (include/linux/completion.h): `complete` lets one waiter go, `complete_all` all, until `reinit`."""

from __future__ import annotations

from collections.abc import Generator
from functools import partial
from typing import ClassVar

from ..primitives.ordering import Made
from ..primitives.step import Step, TimeOut, operation
from ..primitives.waiting import waited
from ..world import Cpu, World
from .primitive import Primitive
from .signal import FatalSignal


class Completion(Primitive):
    """struct completion: a count of what was completed and not yet waited for; who waits takes one, whoever it is.

    Each `complete` is an element that one wait takes, as with a port: the first does not race with the second.
    """

    space: ClassVar[str] = "completion"

    def __init__(self, world: World, name: str = "completion") -> None:
        super().__init__(world, name)
        self._tail = self._mask("tail")
        self._head = self._mask("head")
        self._given = 0
        self._done: list[int] = []
        """Of each completion that nobody has taken what it gave, oldest first."""
        self._all = 0
        """What `complete_all` gave, 0 while it was not called: behind all others, and never used up."""

    def state(self) -> tuple[object, ...]:
        """How many can go."""
        return self.name, len(self._done), self._all != 0

    @operation
    def complete(self, cpu: Cpu) -> Generator[Step, int, None]:
        """complete(): one step; one waiter can go, or the next who comes. After `complete_all` it changes nothing."""
        what = f"complete {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._tail)
        self._session.made_of(Made.LOCKED)
        if not self._all:
            self._done.append(self._give())

    @operation
    def complete_all(self, cpu: Cpu) -> Generator[Step, int, None]:
        """complete_all(): one step; all waiters can go, and all who come, until `reinit`."""
        what = f"complete_all {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._tail)
        self._session.made_of(Made.LOCKED)
        self._all = self._all or self._give()

    @operation
    def reinit(self, cpu: Cpu) -> Generator[Step, int, None]:
        """reinit_completion(): one step; nothing is completed any more, also what nobody has seen yet."""
        what = f"reinit_completion {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._head | self._tail)
        self._done.clear()
        self._all = 0

    @operation
    def wait(self, cpu: Cpu, *, idle: bool = False) -> Generator[Step, int, None]:
        """wait_for_completion(): one step, which is not offered before something is completed; it may sleep.

        `idle` says that a daemon which waits here has nothing left to do.
        """
        what = f"wait_for_completion {self.name}"
        cpu.might_sleep(what)
        yield Step(
            what,
            writes=self._head,
            ready=self._is_done,
            blocked=self._blocked,
            idle=idle,
            wakes=self._head | self._tail,
        )
        self._session.became(takes=self._take())
        self._session.made_of(Made.LOCKED)

    @operation
    def wait_timeout(self, cpu: Cpu, *, time_out: TimeOut | None = None) -> Generator[Step, int, bool]:
        """wait_for_completion_timeout(): False if nothing is completed before the time is over (see `cpu.wait_timeout`
        for when that is): a step, or one for each look. It may sleep."""
        what = f"wait_for_completion_timeout {self.name}"
        cpu.might_sleep(what)
        looks = cpu.looks(time_out)
        # A look races with all who complete; who waits takes what one of them gave.
        step = partial(Step, what, self._tail if looks else 0, self._head, blocked=self._blocked)
        came = yield from waited(partial(step, wakes=self._head | self._tail), self._is_done, looks)
        if came:
            takes = self._take()
            if not looks:
                self._session.became(takes=takes)
        self._session.made_of(Made.LOCKED)
        return came

    @operation
    def try_wait(self, cpu: Cpu) -> Generator[Step, int, bool]:
        """try_wait_for_completion(): one step that does not wait; False if nothing is completed."""
        what = f"try_wait_for_completion {self.name}"
        cpu.acts(what)
        yield Step(what, self._tail, self._head)
        self._session.made_of(Made.LOCKED if self._is_done() else Made.LOAD)
        return self._try()

    @operation
    def wait_killable(self, cpu: Cpu, signal: FatalSignal) -> Generator[Step, int, bool]:
        """wait_for_completion_killable(): one step, offered when something is completed or the signal came; False if it
        is only the signal. It may sleep."""
        what = f"wait_for_completion_killable {self.name}"
        cpu.might_sleep(what)
        yield Step(
            what,
            self._tail | signal.mask,
            self._head,
            ready=lambda: self._is_done() or signal.is_pending(),
            blocked=self._blocked,
        )
        self._session.made_of(Made.LOCKED if self._is_done() else Made.LOAD)
        return self._try()

    @operation
    def done(self, cpu: Cpu) -> Generator[Step, int, bool]:
        """completion_done(): one step that takes nothing; whether a wait would go on at once."""
        what = f"completion_done {self.name}"
        cpu.acts(what)
        yield Step(what, self._head | self._tail)
        self._session.made_of(Made.LOCKED if self._is_done() else Made.LOAD)
        return self._is_done()

    def _give(self) -> int:
        self._given += 1
        gives = self._mask(self._given)
        self._session.became(gives=gives)
        return gives

    def _try(self) -> bool:
        done = self._is_done()
        if done:
            self._take()  # which is no cause that had to come first: it races with all who complete
        return done

    def _take(self) -> int:
        return self._done.pop(0) if self._done else self._all

    def _is_done(self) -> bool:
        return bool(self._done or self._all)

    def _blocked(self) -> str:
        return f"completion {self.name}"
