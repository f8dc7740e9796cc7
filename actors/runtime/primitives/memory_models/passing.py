"""What comes with steps that access no word: who takes a lock or a message comes after what its giver did before.

What is *given* is a release and what is *taken* an acquire, as with locks, messages and works in Linux. Named state is
looked at and changed without any order of its own, as by relaxed loads and stores of which everybody sees the newest.
An interrupt comes after what the device did before it was raised.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from hw.bus import PhysAddr

from ..ordering import Made
from ..session import Session
from ..step import Step
from .accesses import Accesses
from .views import Views

_LOCKS = ("lock", "rwlock")
_INTERRUPTS = ("irq",)
_GRACE_PERIODS = ("rcu", "srcu")
"""Who begins to read comes after what was done before a grace period began, and the other way round: both look."""
_DOORBELLS = ("doorbell",)
"""A store to a register, though hardware takes one after the other: what is ahead of it needs a barrier."""
_SIGNALS = ("signal",)
"""What is looked at beside what a lock protects."""
_GHOSTS = ("note", "processor", "python")
"""What only properties look at, and what orders nothing: actors on one processor have the same views, and what steps
share in Python may be there for a property alone."""


class Passed(NamedTuple):
    """What a step does, by the masks of its footprint: words by their addresses, all other resources by their bits."""

    words: list[PhysAddr]
    """Those that it looks at."""
    locks: list[int]
    """What belongs to locks, of which it takes one."""
    takes: list[int]
    looks: list[int]
    unlocks: list[int]
    gives: list[int]
    leaves: list[int]
    is_locked: bool
    """Whether it is an atomic instruction."""


_NOTHING = Passed([], [], [], [], [], [], [], False)
"""What a step does that none of it touches."""


class Passing:
    """Follows the steps of a run, as far as they are no accesses."""

    def __init__(self, session: Session, accesses: Accesses) -> None:
        self._session = session
        self._accesses = accesses
        self._begun = 0
        """How many steps have been looked at, and how many to their end."""
        self._done = 0
        self._words_read = -1
        """The step whose words have been dealt with, though it touches other things as well."""

    def catch_up(self) -> None:
        """All steps that were taken are over."""
        self._follow(len(self._session.steps))

    def before_last(self) -> None:
        """All steps that were taken are over, but for the one that is being taken."""
        self._follow(len(self._session.steps) - 1)

    def accessed(self) -> None:
        """The step that is being taken is an access: that has been dealt with."""
        session = self._session
        self._begun = self._done = len(session.steps)
        self._accesses.last[session.actors[-1]] = self._done - 1

    def words_are_read(self) -> None:
        """The step that is being taken looks at words and other things: its loads have been dealt with."""
        self._words_read = len(self._session.steps) - 1

    def begin(self) -> Views:
        """The step that is being taken touches memory by itself; the views of who takes it."""
        self.before_last()
        last = len(self._session.steps) - 1
        views = self._accesses.views[self._session.actors[last]]
        if self._begun <= last:
            self._begun = last + 1
            self._begin(last, views, self._plan(last))
        return views

    def _follow(self, length: int) -> None:
        done = self._done
        if done >= length:
            return
        session, accesses = self._session, self._accesses
        while done < length:
            actor, plan = session.actors[done], self._plan(done)
            if plan is not _NOTHING:
                if self._begun <= done:
                    self._begin(done, accesses.views[actor], plan)
                self._end(accesses.views[actor], plan)
            accesses.last[actor] = done
            done += 1
        self._begun = self._done = done

    def _begin(self, index: int, views: Views, plan: Passed) -> None:
        """What the step comes after."""
        given = self._accesses.given
        if plan.is_locked:
            views.locked()
        for bit in plan.locks:
            views.locks(given.get(bit, 0))
        for bit in plan.takes:
            if before := given.get(bit, 0):
                views.takes(before)
        for bit in plan.looks:
            if before := given.get(bit, 0):
                views.looks(before)
        if index != self._words_read:
            for address in plan.words:
                self._look(views, address)

    def _end(self, views: Views, plan: Passed) -> None:
        """What comes with what the step leaves."""
        given = self._accesses.given
        for bit in plan.unlocks:
            given[bit] = given.get(bit, 0) | views.unlocks()
        for bit in plan.gives:
            given[bit] = given.get(bit, 0) | views.gives()
        for bit in plan.leaves:
            given[bit] = given.get(bit, 0) | views.leaves()

    def _look(self, views: Views, address: PhysAddr) -> None:
        """The step looks at what a word holds now."""
        word = self._accesses.known(address)
        if word is not None:
            before = views.before_load(acquires=False)
            access = self._accesses.load(views, address, word, word.newest, before, acquires=False)
            views.load(address, self._accesses.past[access], acquires=False)

    def _plan(self, index: int) -> Passed:
        session = self._session
        step, made = session.steps[index], session.orders.get(index)
        footprint = (step.takes, step.reads, step.writes, step.gives, step.ready is None, made)
        plan = session.plans.get(footprint)
        if plan is None:
            planned = self._planned(step, made)
            plan = session.plans[footprint] = planned if any(planned) else _NOTHING
        return cast(Passed, plan)

    def _planned(self, step: Step, made: Made | None) -> Passed:
        plan = Passed([], [], [], [], [], [], [], made is not None and made.is_atomic)
        for bit, space, name in self._resources(step.takes | step.reads | step.writes | step.gives):
            if space == "word":
                plan.words.extend([PhysAddr(name[1])] if bit & step.reads else ())
            elif space in _LOCKS and made is None:
                if not bit & step.gives:
                    plan.locks.append(bit)
                elif name[-1].endswith("release"):  # who takes a lock gives something too, which orders nothing
                    plan.unlocks.append(bit)
            elif space not in _GHOSTS:
                self._plan_state(plan, step, made, bit, space)
        return plan

    def _plan_state(self, plan: Passed, step: Step, made: Made | None, bit: int, space: object) -> None:
        """What a step makes of one thing that is no word.

        What is left by steps that only look, which do not race with each other, has a key of its own: who only looks as
        well does not come after that.
        """
        touched, is_changed = bool(bit & (step.reads | step.writes)), bool(bit & step.writes)
        where = [bit, ~bit] if is_changed else [bit]
        if space in _SIGNALS:
            made = None
        if made is Made.LOAD:
            plan.looks.extend(where)
            return
        both = touched and space in _GRACE_PERIODS
        handles = touched and space in _INTERRUPTS and step.ready is not None
        if bit & step.takes or both or handles or (touched and made is Made.LOCKED):
            plan.takes.extend(where)
        elif touched and (bit & step.reads or made is not None or step.ready is not None):
            plan.looks.extend(where)
        is_stored = is_changed or (touched and made is not None and made.is_atomic)
        left = bit if is_changed or bit & step.gives else ~bit
        releases = is_stored and made in (Made.RELEASE, Made.LOCKED)
        if releases or both or (bit & step.gives and space not in _DOORBELLS):
            plan.gives.append(left)
        elif is_stored or bit & step.gives:
            plan.leaves.append(left)

    def _resources(self, mask: int) -> Iterator[tuple[int, object, Any]]:
        """The bit of each resource of a mask, the first word of its name, and the name."""
        resources = self._session.resources
        for name in resources.names(mask):
            yield resources.mask(name), name[0] if isinstance(name, tuple) else None, name
