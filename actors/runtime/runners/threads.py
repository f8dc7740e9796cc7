"""The threaded driver: every actor in an OS thread of its own, one lock a step; the operating system decides who goes.

Like `live` it is an audit, not a search: every decision is recorded, and replays under control to the same run. What is
concurrent are the threads between their steps: which of those that may go gets the lock first, and when each looks at
memory that others write. A step itself is performed under the lock, since a step is what nobody can come between.
"""

from __future__ import annotations

import threading

from ..runs.execution import Execution
from ..runs.scheduler import Scheduler
from ..world import World
from .seat import Seat, admit, carry_on


def threaded(world: World, scheduler: Scheduler) -> Execution:
    """Run `world` as the operating system pleases; `scheduler` draws hardware outcomes only."""
    execution = Execution(world, scheduler)
    scheduler.start(execution)
    crew = _Crew(world, execution)
    crew.work()  # after Ctrl-C the threads are left alone: one may be within a step that never ends
    try:
        if crew.error is not None:
            raise crew.error
        carry_on(world, execution, crew.seats)
    finally:
        for number, seat in enumerate(crew.seats):
            world.current = number  # it may still clean up, by its own cpu
            seat.abandon()
    execution.finish()
    return execution


class _Crew:
    """The threads of one run, and the lock under which each performs its steps."""

    def __init__(self, world: World, execution: Execution) -> None:
        self.seats: list[Seat] = []
        self.error: BaseException | None = None
        """What a thread raised beside its actor's findings."""
        self._world = world
        self._execution = execution
        self._turn = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._over = False

    def work(self) -> None:
        """Return when the run is over, or goes on with everybody in turn."""
        with self._turn:
            try:
                self._admit()
                self._look()
                while not self._over:
                    self._turn.wait()
            finally:
                self._over = True
                self._turn.notify_all()
        for thread in self._threads:
            thread.join()

    def _act(self, number: int) -> None:
        """Be one actor's thread: a step whenever its actor can take it and the lock is free."""
        with self._turn:
            try:
                self._turn.wait_for(lambda: self._can_go(number))
                while not self._over and self._execution.pending[number] is not None:
                    self._step(number)
                    self._let_others_go()
                    self._turn.wait_for(lambda: self._can_go(number))
            except BaseException as error:  # told by the thread that waits for all of them
                self.error = error
                self._over = True
                self._turn.notify_all()

    def _can_go(self, number: int) -> bool:
        return self._over or self._execution.pending[number] is None or self._execution.may_go(number)

    def _step(self, number: int) -> None:
        execution = self._execution
        offered = execution.offer()
        assert offered is not None, "whoever performs a step looks whether it was the last"
        execution.commit(number, offered)
        execution.arrive(number, self.seats[number].resume(execution.outcomes[-1]))
        self._admit()
        self._look()
        self._turn.notify_all()

    def _let_others_go(self) -> None:
        """Between two steps of one actor the lock is free: whoever the operating system lets run takes it."""
        self._turn.release()
        self._turn.acquire()

    def _look(self) -> None:
        self._over = self._execution.offer() is None or self._execution.is_in_turn

    def _admit(self) -> None:
        """Start the coroutines of new actors, and a thread for each."""
        admit(self._world, self._execution, self.seats)
        while len(self._threads) < len(self.seats):
            number = len(self._threads)
            thread = threading.Thread(target=self._act, args=(number,), name=self._world.actors[number].name)
            thread.daemon = True  # an actor that never comes back must not keep the process alive
            self._threads.append(thread)
            thread.start()
