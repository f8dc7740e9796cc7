"""Wait queues (include/linux/wait.h): who waits looks at its condition again when it is woken, and only then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import ClassVar

from ..primitives.ordering import Made
from ..primitives.step import Resource, Step, TimeOut, operation
from ..primitives.waiting import waited
from ..world import Cpu, World
from .primitive import Primitive
from .signal import FatalSignal


class _Waiter:
    """An entry of the queue, until it is woken."""

    __slots__ = ("exclusive", "is_woken", "name")

    def __init__(self, name: str, exclusive: bool) -> None:
        self.name = name
        self.exclusive = exclusive
        self.is_woken = False

    def can_go(self) -> bool:
        return self.is_woken


class WaitQueue(Primitive):
    """struct wait_queue_head. A condition that becomes true and is not followed by a wake-up wakes nobody."""

    space: ClassVar[str] = "wait queue"

    def __init__(self, world: World, name: str = "wait queue") -> None:
        super().__init__(world, name)
        self._queue = self._mask("queue")
        self._waiters: list[_Waiter] = []
        self._wakes = 0
        self._woken: dict[_Waiter, int] = {}
        """What the wake-up gave that took each off the queue."""

    def state(self) -> tuple[object, ...]:
        """Who sleeps; in which order matters only to those who wait exclusively."""
        shared = sorted(waiter.name for waiter in self._waiters if not waiter.exclusive)
        return self.name, tuple(shared), tuple(waiter.name for waiter in self._waiters if waiter.exclusive)

    async def wait_event(
        self,
        cpu: Cpu,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource],
        exclusive: bool = False,
        idle: bool = False,
    ) -> None:
        """wait_event(), wait_event_exclusive(): a step to queue, one to look at the condition, and if it is false one
        to sleep until somebody wakes it; then again. It may sleep.

        `reads` names all that `until` looks at, as for `cpu.access`. An exclusive waiter takes a step more to leave,
        and until then a wake-up that was meant for one of those behind it may end with it. `idle` says that a daemon
        which sleeps here has nothing left to do.
        """
        await self._wait(cpu, until, reads, exclusive, partial(self._sleep, idle=idle))

    async def wait_event_timeout(
        self,
        cpu: Cpu,
        until: Callable[[], bool],
        *,
        reads: Sequence[Resource],
        time_out: TimeOut | None = None,
        exclusive: bool = False,
        idle: bool = False,
    ) -> bool:
        """wait_event_timeout(): as `wait_event`, but it looks a last time when its time is over (see `cpu.wait_timeout`
        for when that is), and False if the condition is false then. A time-out of so many looks is over when it slept
        so often without being woken."""
        sleep = partial(self._sleep_for, looks=cpu.looks(time_out), idle=idle)
        return await self._wait(cpu, until, reads, exclusive, sleep)

    async def _wait(
        self,
        cpu: Cpu,
        until: Callable[[], bool],
        reads: Sequence[Resource],
        exclusive: bool,
        sleep: Callable[[_Waiter], Awaitable[bool]],
    ) -> bool:
        """Whether the condition was true at last; `sleep` says whether somebody woke it."""
        cpu.might_sleep(f"wait_event {self.name}")
        waiter = _Waiter(cpu.name, exclusive)
        is_woken = True
        while True:
            if is_woken:
                await self._prepare(waiter)
                await cpu.mb()  # set_current_state
            await cpu.access(f"wait_event {self.name}: condition", reads=reads)
            came = until()
            if came or not is_woken:
                break
            is_woken = await sleep(waiter)
        if exclusive:
            await self._finish(waiter)
        elif not waiter.is_woken:
            self._waiters.remove(waiter)  # whether it is woken as well, nobody can see
        return came

    @operation
    def wake_up(self, cpu: Cpu, count: int = 1) -> Generator[Step, int, None]:
        """wake_up(): one step; wakes all who wait, of those who wait exclusively the first `count`."""
        what = f"wake_up {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._queue)
        self._wake(count)

    @operation
    def wake_up_all(self, cpu: Cpu) -> Generator[Step, int, None]:
        """wake_up_all(): one step; wakes all who wait."""
        what = f"wake_up_all {self.name}"
        cpu.acts(what)
        yield Step(what, writes=self._queue)
        self._wake(len(self._waiters))

    def _wake(self, count: int) -> None:
        woken, asleep = list[_Waiter](), list[_Waiter]()
        for waiter in self._waiters:
            count -= waiter.exclusive
            (asleep if waiter.exclusive and count < 0 else woken).append(waiter)
        self._session.made_of(Made.LOCKED)
        self._wakes += 1
        gives = self._mask(self._wakes)
        self._session.became(gives=gives)
        for waiter in woken:
            waiter.is_woken = True
            self._woken[waiter] = gives
        self._waiters = asleep

    @operation
    def _prepare(self, waiter: _Waiter) -> Generator[Step, int, None]:
        """prepare_to_wait(): the order of waiters can be seen only where they wait exclusively."""
        shared, alone = (0, self._queue) if waiter.exclusive else (self._queue, 0)
        yield Step(f"wait_event {self.name}: queue", shared, alone)
        self._session.made_of(Made.LOCKED)
        waiter.is_woken = False
        self._waiters.append(waiter)

    @operation
    def _sleep(self, waiter: _Waiter, idle: bool) -> Generator[Step, int, bool]:
        yield Step(
            f"wait_event {self.name}: sleep",
            ready=waiter.can_go,
            blocked=self._blocked,
            idle=idle,
            wakes=self._queue,
        )
        self._session.became(takes=self._woken.pop(waiter))
        return True

    @operation
    def _sleep_for(self, waiter: _Waiter, looks: int, idle: bool) -> Generator[Step, int, bool]:
        # A look races with who wakes; who sleeps goes on when somebody did.
        step = partial(Step, f"wait_event {self.name}: sleep", self._queue if looks else 0, idle=idle)
        came = yield from waited(partial(step, blocked=self._blocked, wakes=self._queue), waiter.can_go, looks)
        if came:
            woken = self._woken.pop(waiter)
            if not looks:
                self._session.became(takes=woken)
        return came

    @operation
    def _finish(self, waiter: _Waiter) -> Generator[Step, int, None]:
        """finish_wait()."""
        yield Step(f"wait_event {self.name}: leave", writes=self._queue)
        self._session.made_of(Made.LOCKED)
        if not waiter.is_woken:
            self._waiters.remove(waiter)

    async def wait_event_killable(
        self, cpu: Cpu, until: Callable[[], bool], signal: FatalSignal, *, reads: Sequence[Resource]
    ) -> bool:
        """wait_event_killable(): as `wait_event`, with a look at the signal before each look at the condition; False if
        the one was there and the other is false."""
        cpu.might_sleep(f"wait_event {self.name}")
        waiter = _Waiter(cpu.name, exclusive=False)
        came = False
        while True:
            await self._prepare(waiter)
            is_killed = await signal.pending(cpu)
            await cpu.access(f"wait_event {self.name}: condition", reads=reads)
            came = until()
            if came or is_killed:
                break
            await self._sleep_killable(waiter, signal)
        if not waiter.is_woken:
            self._waiters.remove(waiter)
        return came

    @operation
    def _sleep_killable(self, waiter: _Waiter, signal: FatalSignal) -> Generator[Step, int, None]:
        yield Step(
            f"wait_event {self.name}: sleep, killable",
            self._queue | signal.mask,  # it races with both, since either may end it
            ready=lambda: waiter.is_woken or signal.is_pending(),
            blocked=self._blocked,
        )
        if waiter.is_woken:
            self._woken.pop(waiter)
        else:
            self._waiters.remove(waiter)

    def _blocked(self) -> str:
        return f"somebody who wakes wait queue {self.name}"
