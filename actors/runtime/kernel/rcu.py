"""RCU and SRCU (include/linux/rcupdate.h, srcu.h): a grace period waits for all readers that began before it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from functools import partial
from typing import ClassVar, Protocol

from ..primitives.step import BrokenRule, Step, operation
from ..world import Cpu, Main, World
from .primitive import Primitive


class Freed(Protocol):
    """What `kfree_rcu` frees."""

    name: str

    async def free(self, cpu: Cpu) -> None:
        """Free it: one step."""
        ...


class _GracePeriod:
    """Whom it still waits for, by their numbers."""

    __slots__ = ("readers",)

    def __init__(self, readers: dict[int, str]) -> None:
        self.readers = readers

    def is_over(self) -> bool:
        return not self.readers


class Rcu(Primitive):
    """RCU: no reader may sleep. A world needs one; a second one has grace periods of its own, as SRCU has.

    To begin a section races with the begin of a grace period and with nothing else; the end of a section comes before
    the end of the grace periods that wait for it, and races with none.
    """

    space: ClassVar[str] = "rcu"
    sleeps: ClassVar[bool] = False

    def __init__(self, world: World, name: str = "rcu") -> None:
        super().__init__(world, name)
        self._begins = self._of_each("begin")
        self._queues = self._of_each("queue")
        self._begun: Counter[int] = Counter()
        """How many sections each actor has begun, by its number."""
        self._readers: dict[int, str] = {}
        """Who is in a section."""
        self._depth: Counter[int] = Counter()
        self._grace_periods: list[_GracePeriod] = []
        self._called: Counter[int] = Counter()
        self._over: set[tuple[int, int]] = set()
        self._held = f"{self.name}_read_lock"

    def state(self) -> tuple[object, ...]:
        """Who reads, how deep, and whose callbacks are still to come."""
        waits = [tuple(sorted(period.readers)) for period in self._grace_periods if not period.is_over()]
        return self.name, *sorted(self._depth.items()), tuple(waits), self._called.total() - len(self._over)

    @operation
    def read_lock(self, cpu: Cpu) -> Generator[Step, int, None]:
        """rcu_read_lock(): one step, and none inside another section of the same actor."""
        what, number = f"{self.name}_read_lock", cpu.number
        cpu.acts(what)
        if not self._depth[number]:
            yield Step(what, writes=self._mask("begin", number))
            self._begun[number] += 1
            self._readers[number] = cpu.name
            cpu.took(self._held, waited=False)
            if not self.sleeps:
                cpu.spinning.append(f"holds {self._held}")
        self._depth[number] += 1

    @operation
    def read_unlock(self, cpu: Cpu) -> Generator[Step, int, None]:
        """rcu_read_unlock(): one step, and none inside another section; BrokenRule for who is in none."""
        what, number = f"{self.name}_read_unlock", cpu.number
        cpu.acts(what)
        if not self._depth[number]:
            cpu.refuse(BrokenRule(f"{cpu.name} calls {what} outside of a read-side section"))
        if self._depth[number] == 1:
            yield Step(what, gives=self._mask(number, self._begun[number]))
            del self._readers[number]
            for period in self._grace_periods:
                period.readers.pop(number, None)
            cpu.holds.remove(self._held)
            if not self.sleeps:
                cpu.spinning.remove(f"holds {self._held}")
        self._depth[number] -= 1

    async def synchronize(self, cpu: Cpu) -> None:
        """synchronize_rcu(): a step in which the grace period begins, and, if anybody ever read, one that is offered
        when all who read at that moment are done. It may sleep, so a reader must not call it."""
        cpu.might_sleep(f"synchronize_{self.name}")
        await cpu.mb()
        await self._grace_period(f"synchronize_{self.name}")
        await cpu.mb()

    async def call(self, cpu: Cpu, callback: Main, name: str = "") -> None:
        """call_rcu(): two steps, after which a new actor waits for a grace period and then runs `callback`, which
        must not sleep."""
        number = cpu.number
        await self._queue(cpu)
        count = self._called[number]
        shown = name or f"{self.name} callback {count} of {cpu.name}"
        await cpu.spawn(shown, partial(self._run, callback, (number, count)))

    async def kfree(self, cpu: Cpu, freed: Freed) -> None:
        """kfree_rcu(): `freed` is freed after a grace period."""
        await self.call(cpu, freed.free, f"kfree_{self.name} {freed.name}")

    @operation
    def barrier(self, cpu: Cpu) -> Generator[Step, int, None]:
        """rcu_barrier(): a step that looks what was queued with `call` so far, and one that is offered when that has
        run. It may sleep."""
        what = f"{self.name}_barrier"
        cpu.might_sleep(what)
        yield Step(f"{what}: look", self._queues)
        waits = tuple((number, one) for number, count in sorted(self._called.items()) for one in range(1, count + 1))
        takes = 0
        for callback in waits:
            takes |= self._mask("callback", *callback)
        if takes:
            yield Step(
                what,
                takes=takes,
                ready=partial(self._over.issuperset, waits),
                blocked=lambda: f"callbacks of {self.name}",
                wakes=takes,
            )

    @operation
    def _queue(self, cpu: Cpu) -> Generator[Step, int, None]:
        what, number = f"call_{self.name}", cpu.number
        cpu.acts(what)
        yield Step(what, writes=self._mask("queue", number))
        self._called[number] += 1

    async def _run(self, callback: Main, queued: tuple[int, int], cpu: Cpu) -> None:
        await self._grace_period(f"grace period of {self.name}")
        cpu.spinning.append(f"runs a callback of {self.name}")
        cpu.in_interrupt = True
        await callback(cpu)
        cpu.returns(f"a callback of {self.name}")
        cpu.in_interrupt = False
        cpu.spinning.remove(f"runs a callback of {self.name}")
        await self._end(queued)

    @operation
    def _end(self, queued: tuple[int, int]) -> Generator[Step, int, None]:
        yield Step(f"callback of {self.name} done", gives=self._mask("callback", *queued))
        self._over.add(queued)

    @operation
    def _grace_period(self, what: str) -> Generator[Step, int, None]:
        yield Step(f"{what}: begin", self._begins)
        if self._begun:
            period = _GracePeriod(dict(self._readers))
            self._grace_periods.append(period)
            yield self._end_of(period, what)
            self._grace_periods.remove(period)

    def _end_of(self, period: _GracePeriod, what: str) -> Step:
        """Behind all sections that began before it, also those that were over by then: that order nobody can tell."""
        takes = 0
        for number, count in self._begun.items():
            for section in range(1, count + 1):
                takes |= self._mask(number, section)
        return Step(what, takes=takes, ready=period.is_over, blocked=partial(self._blocked, period), wakes=takes)

    def _blocked(self, period: _GracePeriod) -> str:
        return f"the end of {self._held} of {', '.join(period.readers.values()) or 'nobody'}"


class Srcu(Rcu):
    """SRCU: a domain of its own for each name, in which readers may sleep; a reader that synchronizes it deadlocks."""

    space: ClassVar[str] = "srcu"
    sleeps: ClassVar[bool] = True

    def __init__(self, world: World, name: str = "srcu") -> None:
        super().__init__(world, name)
