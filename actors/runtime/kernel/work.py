"""Works (include/linux/workqueue.h): a work is pending once, by identity, until its function begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from functools import partial
from typing import ClassVar

from ..primitives.step import ANYTHING, BrokenRule, Step, operation
from ..world import Cpu, Main, World
from .primitive import Primitive, Stateful


class WorkStruct:
    """struct work_struct: a name and the function that a worker calls with its own cpu; it belongs to one queue."""

    def __init__(self, name: str, function: Main) -> None:
        self.name = name
        self.function = function


class _Queued(Stateful):
    """A work as it was queued once: `is_over` when its function has returned, or when it was cancelled."""

    __slots__ = ("done", "is_over", "is_taken", "work")

    def __init__(self, work: WorkStruct, done: int) -> None:
        self.work = work
        self.done = done
        """What its end gives."""
        self.is_taken = False
        self.is_over = False

    def state(self) -> tuple[object, ...]:
        """How far it is."""
        return self.work, self.is_taken, self.is_over


class WorkqueueStruct(Primitive):
    """struct workqueue_struct with one worker (alloc_ordered_workqueue): works run one after the other, in their order.

    The worker is an actor, a daemon called `NAME worker`. A flush from a work of the same queue waits for itself, which
    is a deadlock that names the circle.
    """

    space: ClassVar[str] = "workqueue"

    def __init__(self, world: World, name: str = "events") -> None:
        super().__init__(world, name)
        self._tail = self._mask("tail")
        self._head = self._mask("head")
        self._queued: list[_Queued] = []
        self._waiting: list[tuple[_Queued, int]] = []
        """Which wait for the worker, oldest first, and what their queueing gave."""
        self._delayed: list[WorkStruct] = []
        """Whose timers run."""
        self._disabled: Counter[WorkStruct] = Counter()
        self._timers: Counter[str] = Counter()
        self._runs = ""
        """What the worker runs."""
        self._drainers = 0
        self._worker = f"{self.name} worker"
        world.add_actor(self._worker, self._work, daemon=True)

    def state(self) -> tuple[object, ...]:
        """What waits, what runs, whose timers run, what is disabled."""
        disabled = sorted((work.name, count) for work, count in self._disabled.items() if count)
        delayed = sorted(work.name for work in self._delayed)
        return (
            self.name,
            tuple(each.work.name for each, _ in self._waiting),
            self._runs,
            tuple(delayed),
            tuple(disabled),
        )

    @operation
    def queue(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, bool]:
        """queue_work(): one step, or two for a work that was queued before; False if it is pending or disabled."""
        can = yield from self._can_be_queued(cpu, "queue_work", work)
        if can:
            self._push(work)
        return can

    async def queue_delayed(self, cpu: Cpu, work: WorkStruct) -> bool:
        """queue_delayed_work(): as `queue`, and a step that starts a timer, an actor of its own; the work is pending
        from now on, and queued at any moment from then on."""
        can = await self._set_timer(cpu, work)
        if can:
            self._timers[work.name] += 1
            await cpu.spawn(f"timer {self._timers[work.name]} of {work.name}", partial(self._expire, work))
        return can

    @operation
    def flush_work(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, None]:
        """flush_work(): a step that looks, and one that is offered when the work, as it was queued last, is over. Of a
        delayed one, the timer is not waited for."""
        what = f"flush_work {work.name}"
        cpu.might_sleep(what)
        yield Step(f"{what}: look", self._tail)
        last = [queued for queued in self._queued if queued.work is work][-1:]
        if last:
            yield self._end_of(last, what)

    @operation
    def flush(self, cpu: Cpu) -> Generator[Step, int, None]:
        """flush_workqueue(): a step that looks, and one that is offered when all that was queued then is over."""
        what = f"flush_workqueue {self.name}"
        cpu.might_sleep(what)
        yield Step(f"{what}: look", self._tail)
        if self._queued:
            yield self._end_of(list(self._queued), what)

    @operation
    def drain(self, cpu: Cpu) -> Generator[Step, int, None]:
        """drain_workqueue(): a step from which on only a work of this queue may queue works here, and one that is
        offered when nothing is queued and nothing runs, also what such works queued meanwhile. It may sleep.

        BrokenRule for whoever else queues a work in between, also if it is a timer of `queue_delayed` that expires.
        """
        what = f"drain_workqueue {self.name}"
        cpu.might_sleep(what)
        yield Step(what, writes=self._tail)
        self._drainers += 1
        yield Step(
            f"{what}: empty",
            writes=self._head | self._tail,
            ready=self._is_empty,
            blocked=self._blocked_drain,
            wakes=ANYTHING,
        )
        for queued in self._queued:
            self._session.became(takes=queued.done)
        self._drainers -= 1

    @operation
    def cancel_sync(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, bool]:
        """cancel_work_sync(), cancel_delayed_work_sync(): a step that takes it off the queue or stops its timer, and
        one that is offered when it does not run; it cannot be queued in between. True if it was pending."""
        what = f"cancel_work_sync {work.name}"
        cpu.might_sleep(what)
        yield Step(what, writes=self._head | self._tail)
        pending = self._withdraw(work)
        self._disabled[work] += 1
        runs = [queued for queued in self._queued if queued.work is work and queued.is_taken]
        yield self._end_of(runs, f"{what}: wait", writes=self._tail)
        self._disabled[work] -= 1
        return pending

    @operation
    def disable(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, bool]:
        """disable_work(): one step; takes it off the queue, and it cannot be queued before `enable` has been called as
        often. It does not wait for a run that has begun. True if it was pending."""
        what = f"disable_work {work.name}"
        cpu.acts(what)
        yield Step(what, writes=self._head | self._tail)
        self._disabled[work] += 1
        return self._withdraw(work)

    @operation
    def enable(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, bool]:
        """enable_work(): one step; True if it can be queued again. BrokenRule if it was not disabled."""
        what = f"enable_work {work.name}"
        cpu.acts(what)
        yield Step(what, writes=self._head | self._tail)
        if not self._disabled[work]:
            cpu.refuse(BrokenRule(f"{cpu.name} enables {work.name}, which is not disabled"))
        self._disabled[work] -= 1
        return not self._disabled[work]

    def _can_be_queued(self, cpu: Cpu, what: str, work: WorkStruct) -> Generator[Step, int, bool]:
        """A work that was never queued is not pending, whatever the worker has taken; else that has to be looked at."""
        what = f"{what} {work.name}"
        cpu.acts(what)
        yield Step(what, writes=self._tail)
        if any(queued.work is work for queued in self._queued):
            yield Step(f"{what}: pending?", self._head, self._tail)
        self._refuse_stranger(cpu, work)
        pending = work in self._delayed or any(queued.work is work for queued, _ in self._waiting)
        return not pending and not self._disabled[work]

    def _refuse_stranger(self, cpu: Cpu, work: WorkStruct) -> None:
        if self._drainers and cpu.name != self._worker:
            cpu.refuse(BrokenRule(f"{cpu.name} queues {work.name} while {self.name} is drained"))

    def _push(self, work: WorkStruct) -> None:
        number = len(self._queued)
        gives = self._mask("queued", number)
        self._session.became(gives=gives)
        queued = _Queued(work, self._mask("done", number))
        self._queued.append(queued)
        self._waiting.append((queued, gives))

    def _withdraw(self, work: WorkStruct) -> bool:
        """Pending no more, within a step that writes both ends; whether it was."""
        pending = work in self._delayed
        self._delayed = [other for other in self._delayed if other is not work]
        for place, (queued, _) in enumerate(self._waiting):
            if queued.work is work:
                queued.is_over = pending = True
                self._session.became(gives=queued.done)
                del self._waiting[place]
                break
        return pending

    @operation
    def _set_timer(self, cpu: Cpu, work: WorkStruct) -> Generator[Step, int, bool]:
        can = yield from self._can_be_queued(cpu, "queue_delayed_work", work)
        if can:
            self._delayed.append(work)
        return can

    @operation
    def _expire(self, work: WorkStruct, cpu: Cpu) -> Generator[Step, int, None]:
        yield Step(f"timer of {work.name} expires", writes=self._head | self._tail)
        if work in self._delayed:
            self._refuse_stranger(cpu, work)
            self._delayed.remove(work)
            self._push(work)

    async def _work(self, cpu: Cpu) -> None:
        while True:
            queued = await self._take()
            await queued.work.function(cpu)
            cpu.returns(f"work {queued.work.name}")
            await self._finish(queued)

    @operation
    def _take(self) -> Generator[Step, int, _Queued]:
        yield Step(
            f"take work from {self.name}",
            writes=self._head,
            ready=self._has_work,
            blocked=self._blocked,
            idle=True,
            wakes=self._head | self._tail,
        )
        queued, takes = self._waiting.pop(0)
        self._session.became(takes=takes)
        queued.is_taken = True
        self._runs = queued.work.name
        return queued

    @operation
    def _finish(self, queued: _Queued) -> Generator[Step, int, None]:
        yield Step(f"work {queued.work.name} done", gives=queued.done)
        queued.is_over = True
        self._runs = ""

    def _end_of(self, works: Sequence[_Queued], what: str, writes: int = 0) -> Step:
        if not works:
            return Step(what, writes=writes)
        takes = 0
        for queued in works:  # also what is over by now: whether it was when somebody looked, nobody can tell
            takes |= queued.done
        works = [queued for queued in works if not queued.is_over]
        return Step(
            what,
            writes=writes,
            takes=takes,
            ready=partial(_are_over, works),
            blocked=partial(self._waits_for, works),
            wakes=takes,
        )

    def _has_work(self) -> bool:
        return bool(self._waiting)

    def _is_empty(self) -> bool:
        return all(queued.is_over for queued in self._queued)

    def _blocked_drain(self) -> str:
        return self._waits_for(self._queued)

    def _blocked(self) -> str:
        return f"work on {self.name}"

    def _waits_for(self, works: Sequence[_Queued]) -> str:
        left = [queued for queued in works if not queued.is_over]
        running = [queued.work.name for queued in left if queued.is_taken]
        waiting = [queued.work.name for queued in left if not queued.is_taken]
        told = [f"work {name}, which {self._worker} runs" for name in running]
        told += [f"work {name}, which waits for {self._worker}" for name in waiting]
        return " and ".join(told) or "nothing"


def _are_over(works: Sequence[_Queued]) -> bool:
    return all(queued.is_over for queued in works)
