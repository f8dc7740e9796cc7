"""Whether steps that declare nothing in common do commute: a run, made again in another order that must be the same.

Every reduction rests on that, and a declaration can be wrong in ways that no look at memory shows: a step that decides
by what another one left in an object which neither names. So the same steps are taken as late as their causes allow,
and whatever then is not as before is traced back to the two steps whose order mattered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .audit import FootprintError
from .causality import bits, causality_of, ordered
from .endings import raised
from .events import ENDLESS
from .execution import Execution
from .schedule import Scheduler

Name = tuple[str, int]
"""An actor, and which one of that name: its number depends on who was spawned first."""
Row = tuple[Name, int, str, int, tuple[tuple[Name, int], ...]]
"""Whose step, its how manieth, what it was, with which outcome, and after how many steps of whom."""
Again = Callable[[Scheduler], Execution]
"""Makes one run, to its end, of another world of the same experiment."""


def names(execution: Execution) -> list[Name]:
    """The actors of a run, in order of their numbers."""
    counts: dict[str, int] = {}
    found = []
    for actor in execution.world.actors:
        counts[actor.name] = counts.get(actor.name, 0) + 1
        found.append((actor.name, counts[actor.name]))
    return found


def rows(execution: Execution, past: Sequence[int]) -> list[Row]:
    """What every event of a run was and came after: sorted, the same for all runs that differ in nothing else.

    `past` is that of `causality_of`.
    """
    who = names(execution)
    place: list[int] = []
    counts = dict.fromkeys(execution.actors, 0)
    for actor in execution.actors:
        counts[actor] += 1
        place.append(counts[actor])
    found = []
    for event, before in enumerate(past):
        seen = {who[execution.actors[bit.bit_length() - 1]]: place[bit.bit_length() - 1] for bit in bits(before)}
        actor, step = execution.actors[event], execution.steps[event]
        found.append((who[actor], place[event], step.what, execution.outcomes[event], tuple(sorted(seen.items()))))
    return found


class Undetermined(Exception):
    """A run that is not a function of scenario, parameters and schedule."""


class _InOrder:
    """Lets actors go in a given order, with given outcomes, as far as that is possible."""

    def __init__(self, order: Sequence[tuple[Name, int]]) -> None:
        self._order = order
        self.strayed = False

    def start(self, execution: Execution) -> None:
        """Begin with the first."""
        self._execution = execution

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Who is next, or with which outcome."""
        index = self._execution.index
        if index < len(self._order):
            wanted, taken = self._order[index]
            who = names(self._execution)
            for option in options:
                if (option == taken) if outcome else (who[option] == wanted):
                    return option
        self.strayed = True
        return options[0]

    def finish(self) -> None:
        """Nothing to keep."""


class _Commuting:
    """Compares a run with others that take the same steps in another order."""

    def __init__(self, execution: Execution, again: Again) -> None:
        who = names(execution)
        self._again = again
        self._plan = [
            (who[actor], outcome) for actor, outcome in zip(execution.actors, execution.outcomes, strict=True)
        ]
        self._story = _story(execution)

    def holds(self, order: Sequence[int]) -> bool:
        """Whether the events, in this order, come to the same."""
        scheduler = _InOrder([self._plan[event] for event in order])
        return _story(self._again(scheduler)) == self._story and not scheduler.strayed

    def culprits(self, target: Sequence[int]) -> tuple[int, int]:
        """Two events that are neighbours on the way to the order `target`, and whose exchange is not harmless."""
        swaps = _swaps(target)
        same, other = 0, len(swaps)
        while other - same > 1:
            middle = (same + other) // 2
            same, other = (middle, other) if self.holds(_exchanged(len(target), swaps[:middle])) else (same, middle)
        order, place = _exchanged(len(target), swaps[:same]), swaps[same]
        return order[place], order[place + 1]


def audit(execution: Execution, again: Again) -> None:
    """Make the run in another order; if that comes to anything else, its finding is a FootprintError, or Undetermined.

    Runs that were cut short by a finding, or do not end, tell nothing and are left as they are.
    """
    if execution.outcome in ENDLESS or (execution.finding is not None and not execution.to_the_end):
        return
    target = ordered(causality_of(execution).past, range(execution.index, 0, -1))
    commuting = _Commuting(execution, again)
    if commuting.holds(target):
        return
    if target == list(range(execution.index)) or not commuting.holds(range(execution.index)):
        _complain(
            execution,
            execution.actors[-1],
            Undetermined(
                "made again in the same order, the run is another one: something else than the schedule decides "
                "(a clock, a random number, id(), hash() or the order of a set)"
            ),
        )
        return
    first, second = commuting.culprits(target)
    who = [execution.world.actors[execution.actors[event]].name for event in (first, second)]
    what = [execution.steps[event].what for event in (first, second)]
    error = FootprintError(
        f"`{what[0]}`, then `{what[1]}` of {who[1]}, is not the same as the other way round: both must declare what "
        "one leaves for the other"
    )
    _complain(execution, execution.actors[first], error)


def _complain(execution: Execution, actor: int, error: Exception) -> None:
    execution.finding = raised(execution, actor, error)
    execution.outcome, execution.failing = execution.finding.outcome, execution.schedule


def _story(execution: Execution) -> tuple[list[Row], object, bool]:
    """What a run came to; which of several violations came first is a matter of order."""
    past = causality_of(execution).past
    return sorted(rows(execution, past)), execution.outcome, execution.finding is None


def _swaps(target: Sequence[int]) -> list[int]:
    """The places of neighbours to exchange, one after the other, that turn 0, 1, 2 … into `target`."""
    order = list(range(len(target)))
    swaps: list[int] = []
    for place, event in enumerate(target):
        now = order.index(event)
        order.insert(place, order.pop(now))
        swaps += range(now - 1, place - 1, -1)
    return swaps


def _exchanged(length: int, swaps: Sequence[int]) -> list[int]:
    """The order after some exchanges."""
    order = list(range(length))
    for place in swaps:
        order[place], order[place + 1] = order[place + 1], order[place]
    return order
