"""For each primitive implementations that are wrong in a plausible way, and the test that finds each."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest

from actors.runtime.kernel import irq, rcu, refcount, wait_queue
from actors.runtime.kernel.completion import Completion
from actors.runtime.kernel.irq import IrqLine
from actors.runtime.kernel.rcu import Rcu
from actors.runtime.kernel.refcount import RefCount
from actors.runtime.kernel.wait_queue import WaitQueue
from actors.runtime.kernel.work import WorkqueueStruct
from actors.runtime.primitives.cpu import Cpu
from actors.runtime.primitives.ports import Port
from actors.runtime.primitives.processor import Processor
from actors.runtime.primitives.rwlock import RwLock, RwSemaphore
from actors.runtime.primitives.step import Step, operation
from actors.runtime.primitives.sync import Lock, SpinLock
from actors.runtime.primitives.thread import Thread

from . import test_irq, test_killable, test_processor, test_semantics, test_works

Steps = Generator[Step, int, Any]


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is done instead of one function, and which test must fail then."""

    what: str
    of: Any
    name: str
    instead: object
    test: Callable[[], None]


@operation
def completed_as_a_flag(self: Any, cpu: Cpu) -> Steps:
    yield Step("complete", writes=self._tail)
    if not self._is_done():
        self._done.append(self._give())


def takes_complete_all(self: Any) -> int:
    if self._done:
        return int(self._done.pop(0))
    given, self._all = self._all, 0
    return int(given)


@operation
def forgets_nothing(self: Any, cpu: Cpu) -> Steps:
    yield Step("reinit", writes=self._head | self._tail)


@operation
def sees_the_signal_first(self: Any, thread: Thread, signal: Any) -> Steps:
    yield signal.look
    if signal.is_pending():
        return False
    yield self._acquire
    self._take(thread)
    thread.took(self._held)
    return True


@operation
def stays_in_the_queue(self: Any, thread: Thread, signal: Any) -> Steps:
    yield self._look
    if not self._is_free():
        self.waiting.append(thread)
        free = self._is_free
        yield Step("wait", self._acquire_write.writes | signal.mask, ready=lambda: free() or signal.is_pending())
        if not free():
            return False
        self.waiting.remove(thread)
    self._write(thread)
    return True


@operation
def looks_and_then_gets(self: Any, cpu: Cpu) -> Steps:
    yield Step("look", self._count)
    alive = self.value > 0
    yield Step("get", writes=self._count)
    self.value += alive
    return alive


@operation
def waits_for_who_reads_now(self: Any, what: str) -> Steps:
    yield Step(f"{what}: begin", self._begins)
    yield Step(what, self._begins, ready=lambda: not self._readers)


@operation
def never_pending(self: Any, cpu: Cpu, work: Any) -> Steps:
    yield Step("queue_work", writes=self._tail)
    self._push(work)
    return True


@operation
def waits_until_it_is_empty(self: Any, cpu: Cpu) -> Steps:
    yield Step("flush", writes=self._head | self._tail, ready=self._is_empty, wakes=-1)


@operation
def only_takes_it_off(self: Any, cpu: Cpu, work: Any) -> Steps:
    yield Step("cancel", writes=self._head | self._tail)
    return self._withdraw(work)


@operation
def waits_for_what_is_in_flight(self: Any, what: str) -> Steps:
    yield Step(what, self._line | self._tail, ready=lambda: not (self._in_progress or self._raised or self._is_pending))


@operation
def does_not_wait_for_the_thread(self: Any, action: Any, what: str) -> Steps:
    yield Step(what, writes=self._of(action))
    action.is_stopping = True


@operation
def loses_what_it_cannot_handle(self: Any) -> Steps:
    head = self._mask("arrived")
    yield Step("arrives", writes=self._line | head, ready=self._is_in_flight, idle=True, wakes=self._tail | head)
    self._session.became(takes=self._raised.pop(0))
    self._is_pending = self._is_pending or not self._depth


@operation
def looks_without_a_race(self: Any, thread: Thread) -> Steps:
    yield Step("look")
    if self.holds():
        self.received += 1
        return self.codec.decode(self._receiver.receive_nowait())


@operation
def in_two_steps(self: Any, what: str, do: Any, *, reads: Any = (), writes: Any = ()) -> Steps:
    named = self._named([("word", each) for each in writes])
    yield Step(what, named)
    before = self._stage.memory.read(writes[0])
    yield Step(what, writes=named)
    self._stage.memory.write(writes[0], before)
    return do() or before > 0


def switches_on(self: Any, thread: Thread) -> Steps:
    yield self._irq_restore
    self._masked, self._masks = None, 0


def nothing(*_: object) -> Steps:
    yield from ()


def told(*_: object, **__: object) -> None:
    """Nothing is refused."""


def asks(test: Any, *given: object) -> Callable[[], None]:
    return lambda: test(*given)


GRACE = asks(test_semantics.test_a_grace_period_waits_for_readers_before_it_and_for_no_later_one, Rcu)
FLUSH = test_works.test_a_flush_waits_for_what_was_queued_before_it_and_for_nothing_later
STOPS = test_irq.test_what_each_way_to_stop_an_interrupt_waits_for
WHILE, LATE, NONE = test_irq.WHILE_ALIVE, test_irq.TOO_LATE, test_irq.NEVER
KILLED = test_killable.test_what_need_not_be_waited_for_is_taken_in_spite_of_a_signal
OFF = test_processor.test_no_handler_begins_while_interrupts_are_off
WRONG = [
    Wrong("a completion is a flag", Completion, "complete", completed_as_a_flag,
          test_semantics.test_a_completion_is_a_count_and_no_flag),
    Wrong("one waiter uses complete_all up", Completion, "_take", takes_complete_all,
          test_semantics.test_a_completion_is_lost_between_two_waiters_unless_all_are_completed),
    Wrong("reinit forgets nothing", Completion, "reinit", forgets_nothing,
          test_semantics.test_what_was_completed_before_reinit_is_forgotten),
    Wrong("who waits looks again by itself", wait_queue._Waiter, "can_go", lambda self: True,
          asks(test_semantics.test_a_condition_that_becomes_true_wakes_nobody, False, (3, 2, 1))),
    Wrong("an exclusive waiter leaves when it looks", WaitQueue, "_finish", operation(nothing),
          test_semantics.test_an_exclusive_wake_up_may_end_with_who_no_longer_needs_it),
    Wrong("get_unless_zero is a look and a get", RefCount, "get_unless_zero", looks_and_then_gets,
          test_semantics.test_the_last_reference_and_a_get_unless_zero_are_one_step_each),
    Wrong("a count wraps", refcount, "MOST", 2**64,
          test_semantics.test_gets_do_not_race_and_a_get_at_zero_is_use_after_free),
    Wrong("a grace period waits for nobody", rcu._GracePeriod, "is_over", lambda self: True, GRACE),
    Wrong("a grace period waits for later readers", Rcu, "_grace_period", waits_for_who_reads_now, GRACE),
    Wrong("a work is never pending", WorkqueueStruct, "queue", never_pending,
          test_works.test_a_work_is_pending_once_and_can_be_queued_again_while_it_runs),
    Wrong("a flush waits until the queue is empty", WorkqueueStruct, "flush", waits_until_it_is_empty, FLUSH),
    Wrong("cancel does not wait for a run", WorkqueueStruct, "cancel_sync", only_takes_it_off,
          test_works.test_cancel_waits_for_a_run_that_has_begun_and_disable_does_not),
    Wrong("a drain is a flush", WorkqueueStruct, "drain", WorkqueueStruct.flush,
          test_works.test_a_drain_waits_for_what_works_queue_meanwhile),
    Wrong("anybody queues during a drain", WorkqueueStruct, "_refuse_stranger", told,
          test_works.test_who_queues_from_outside_while_a_queue_is_drained_is_told),
    Wrong("synchronize_irq waits for what is in flight", IrqLine, "_no_handler", waits_for_what_is_in_flight,
          asks(STOPS, "synchronize", False, 5, {WHILE, LATE})),
    Wrong("synchronize_irq forgets the threads", irq, "_are_idle", lambda actions: True,
          asks(STOPS, "disable", True, 5, {NONE, WHILE})),
    Wrong("free_irq does not wait for the thread", IrqLine, "_stop", does_not_wait_for_the_thread,
          asks(STOPS, "free", True, 9, {NONE, WHILE})),
    Wrong("a disabled line has no latch", IrqLine, "_arrival", loses_what_it_cannot_handle,
          test_irq.test_what_comes_while_the_line_is_disabled_is_latched_once),
    Wrong("a handler stops nobody", Processor, "_keeper", lambda self, thread: None,
          test_processor.test_a_handler_runs_to_its_end_before_its_processor_goes_on),
    Wrong("irqsave keeps no handler away", Processor, "can_interrupt", lambda self: self._handler is None,
          asks(OFF, "irq")),
    Wrong("the inner local_irq_restore switches on", Processor, "interrupts_on", switches_on, asks(OFF, "nested")),
    Wrong("irqsave saves nothing", SpinLock, "acquire_irqsave", SpinLock.acquire,
          asks(test_processor.test_a_lock_that_a_handler_takes_needs_irqsave_on_the_same_processor,
                  "irqsave", True, 2, 0)),
    Wrong("a spin lock can be preempted", Processor, "stay", nothing,
          asks(test_processor.test_a_spin_lock_keeps_other_threads_from_its_processor, True, {0, 2})),
    Wrong("an rwlock_t is an rw_semaphore", RwLock, "spins", False,
          test_processor.test_what_interrupts_off_forbid_is_told),
    Wrong("what a handler leaves behind is forgotten", Thread, "returns", told,
          test_processor.test_what_a_handler_or_a_thread_leaves_behind_is_told),
    Wrong("a killable wait sees the signal first", Lock, "acquire_killable", sees_the_signal_first,
          asks(KILLED, "mutex")),
    Wrong("a killed writer stays in the queue", RwSemaphore, "acquire_write_killable", stays_in_the_queue,
          test_killable.test_a_writer_that_is_killed_lets_the_readers_behind_it_go),
    Wrong("a look at a port races with nobody", Port, "try_receive", looks_without_a_race,
          test_killable.test_a_look_at_a_port_does_not_wait_and_takes_the_oldest_message),
    Wrong("an atomic step is two", Cpu, "atomically", in_two_steps, test_semantics.test_one_atomic_step_looks_and_acts),
    Wrong("anything may sleep", Thread, "might_sleep", told,
          test_irq.test_what_an_interrupt_must_not_do_is_told),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.what.replace(" ", "-"))
def test_a_wrong_implementation_is_found(wrong: Wrong, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wrong.of, wrong.name, wrong.instead)
    with pytest.raises(AssertionError):
        wrong.test()
