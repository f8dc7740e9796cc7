"""The audit that goes with a search: a share of its own runs is made again, in another order that must be the same.

A search that leaves orders out is only as sound as what steps declare. Which runs are looked at is a matter of the
schedule and of how many there were before, never of chance or time, so whoever repeats a search audits the same runs.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

from actors.runtime.primitives.audit import FootprintError
from actors.runtime.runners.controlled import Controlled
from actors.runtime.runs.causality import causality_of
from actors.runtime.runs.commute import (
    KINDS,
    SHUFFLED,
    Undetermined,
    another_order,
    can_be_compared,
    difference,
    mixed_up,
    orders_around_each_step,
)
from actors.runtime.runs.execution import Execution
from actors.runtime.runs.scheduler import Scheduler
from actors.runtime.world import World

from ..experiments.terms import Terms
from ..own_files.trust import is_file
from ..terminal.exits import Diverged, ModelError, Refusal

THOROUGH = 8
"""The first runs of a search, and later ones whose number is a power of two, are made again in an order of every
kind."""
ALL = 64
"""Of a search the first so many runs are all made again: with the first last, and in an order of another kind."""
ALL_OWN = 4_096
"""The same for a file of a user, which nobody else audits: state that two steps share in one class of thousands
is found by no share of them."""
MORE = 16
"""Of these runs of a user's file, further orders that are shuffled."""
AROUND = 8_192
"""Of these runs of a user's file, each step is moved to where it comes first, and last, as long as that takes at most
twice so many steps: what a step leaves in an object and the next takes away shows only in an order that has another
actor's step between the two."""
SHARE = 128
"""Of the others each one in so many, by their schedules: half of them with the first last."""


class Auditor:
    """Looks at some of the runs of one search in one process; `before` is how many runs it had up to then.

    `attempt` says what is being done, for messages. With `stops` the runs end at their bound.
    """

    def __init__(self, driver: Controlled, attempt: str, terms: Terms, *, before: int = 0, stops: bool = False) -> None:
        self._driver = driver
        self._attempt = attempt
        self._terms = Terms(terms.scenario, terms.params, terms.bound, audit=True, shared=terms.shared)
        self._number = before
        self._all, self._more = (ALL_OWN, MORE) if is_file(terms.scenario) else (ALL, 0)
        self._stops = stops
        self._make_world: Callable[[], World] | None = None

    def look(self, execution: Execution, *, must: bool = False) -> None:
        """Make this run again if it `must` be, or its turn has come; ModelError or Diverged if it is another then.

        That a step touches what it does not declare may also have been found already.
        """
        number = self._number
        self._number += 1
        finding = execution.finding
        if finding is not None and finding.oracle == FootprintError.__name__:
            raise self._refusal(FootprintError(finding.message))
        sharing = execution.world.sharing
        if sharing is not None and sharing.known != self._terms.shared:
            self._terms, self._make_world = replace(self._terms, shared=sharing.known), None
        schedule = zlib.crc32(bytes(execution.choices))
        if not must and number >= self._all and mixed_up(schedule) % SHARE:
            return
        if not execution.index or not can_be_compared(execution):
            return
        if self._make_world is None or number < THOROUGH:
            # The scenario is loaded once more, so that nothing is left in its module by an earlier run.
            self._make_world = self._terms.make_world(stops=self._stops)
        past, actors = causality_of(execution).past, execution.actors
        targets = [another_order(past, actors, kind, which) for kind, which in self._orders(number, schedule)]
        if self._more and _is_thorough(number):
            targets += orders_around_each_step(past, max(1, AROUND // len(past)))
        wrong = difference(execution, self._again, past, targets)
        if wrong is not None:
            raise self._refusal(wrong.error)

    def _orders(self, number: int, schedule: int) -> Sequence[tuple[int, int]]:
        """Which orders a run is made again in: each a kind, and which of it.

        With the first last, most of what may be exchanged is.
        """
        if _is_thorough(number):
            more = [(SHUFFLED, mixed_up(schedule, which)) for which in range(self._more)]
            return [(kind, schedule) for kind in range(KINDS)] + more
        mixed = mixed_up(schedule, number)
        other = 1 + mixed // 2 % (KINDS - 1)
        if number < self._all:
            return (0, schedule), (other, schedule)
        return ((other if mixed % 2 else 0, schedule),)

    def _refusal(self, error: Exception) -> Refusal:
        kind = Diverged if isinstance(error, Undetermined) else ModelError
        return kind(f"{self._attempt} {self._terms.scenario}: {error}")

    def _again(self, scheduler: Scheduler) -> Execution:
        assert self._make_world is not None
        world = self._make_world()
        world.again = None
        return self._driver.run(world, scheduler, to_the_end=True)


def _is_thorough(number: int) -> bool:
    return number < THOROUGH or not number & (number - 1)
