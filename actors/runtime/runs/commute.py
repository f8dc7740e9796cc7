"""Whether steps that declare nothing in common do commute: a run, made again in another order that must be the same.

Every reduction rests on that, and a declaration can be wrong in ways that no look at memory shows: a step that decides
by what another one left in an object which neither names. So the same steps are taken in another order that their
causes allow, and whatever then is not as before is traced back to the two steps whose order mattered. What a run came
to is its steps and what came before what, its events, its memory at the end, and whether its properties complain. What
its witnesses saw is left out: that one order of many reached them is all that is ever asked of them.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..primitives.audit import FootprintError
from ..primitives.events import ENDLESS, Outcome
from .causality import causality_of, ordered
from .endings import raised
from .record import Record
from .scheduler import Replay, ScheduleMismatch, Scheduler

Name = tuple[str, tuple[int, ...]]
"""An actor, by name and lineage: from one that was there at first, which child of whom it is. Its number depends on who
was spawned first, and so does which one of its name it is."""
Row = tuple[Name, int, str, int, tuple[tuple[Name, int], ...]]
"""Whose step, its position among that actor's steps, what it was, its outcome, and how many steps of whom came
before."""
Again = Callable[[Scheduler], Record]
"""Makes one run, to its end, of another world of the same experiment."""
KINDS = 5
"""Ways to put a run into another order."""
SHUFFLED = 4
"""The one of these of which a run has many, by the number that `another_order` is given."""
_PLAIN = (int, str, bytes, bool, float, type(None))
_MIX = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1


def names(record: Record) -> list[Name]:
    """The actors of a run, in order of their numbers."""
    children: dict[int, int] = {}
    found: list[Name] = []
    for number, (actor, born) in enumerate(zip(record.world.actors, record.born, strict=True)):
        lineage: tuple[int, ...] = (number,)
        if born:
            parent = record.actors[born - 1]
            lineage = (*found[parent][1], children.get(parent, 0))
            children[parent] = lineage[-1] + 1
        found.append((actor.name, lineage))
    return found


def rows(record: Record, past: Sequence[int]) -> list[Row]:
    """What every event of a run was and came after: sorted, the same for all runs that differ in nothing else.

    `past` is that of `causality_of`.
    """
    who = names(record)
    own: dict[int, int] = {}
    place = []
    for event, actor in enumerate(record.actors):
        own[actor] = own.get(actor, 0) | 1 << event
        place.append(own[actor].bit_count())
    masks = sorted((who[actor], mask) for actor, mask in own.items())
    found = []
    for event, before in enumerate(past):
        # Of each actor the past has the first so many steps.
        seen = tuple([(name, count) for name, mask in masks if (count := (before & mask).bit_count())])
        actor, step = record.actors[event], record.steps[event]
        found.append((who[actor], place[event], step.what, record.outcomes[event], seen))
    return found


def another_order(past: Sequence[int], actors: Sequence[int], kind: int, number: int = 0) -> list[int]:
    """An equivalent order of a run, of one of `KINDS`: the first as late as can be, the last as early, by actor from
    the last, one step behind all that does not depend on it, shuffled. `number` says which step, or how shuffled."""
    match kind:
        case 0:
            return _first_last(past, actors)
        case 1:
            return ordered(past, range(len(past), 0, -1))
        case 2:
            return ordered(past, [-actor for actor in actors])
        case 3:
            return _held_back(past, mixed_up(number) % len(past))
        case _:
            return ordered(past, [mixed_up(number, event) for event in range(len(past))])


def orders_around_each_step(past: Sequence[int], most: int) -> list[list[int]]:
    """The equivalent orders in which one step comes behind all that does not depend on it, or before all that it does
    not depend on: of each step, or of at most `most` of them, evenly spread.

    Two steps of one actor that nobody orders against a third of another are so taken with the third between them,
    wherever that one was: what the first leaves behind and the second takes away is seen by the third.
    """
    every = max(1, -(-len(past) // most))
    found = {tuple(range(len(past))): None}
    for event in range(0, len(past), every):
        found[tuple(_held_back(past, event))] = None
        found[tuple(ordered(past, [not past[event] >> other & 1 for other in range(len(past))]))] = None
    return [list(order) for order in found][1:]


def _held_back(past: Sequence[int], event: int) -> list[int]:
    return ordered(past, [before >> event & 1 for before in past])


def _first_last(past: Sequence[int], actors: Sequence[int]) -> list[int]:
    """The order whose end, read backwards, has the first of the events that may come last each time."""
    own: dict[int, list[int]] = {}
    for event, actor in enumerate(actors):
        own.setdefault(actor, []).append(event)
    order: list[int] = []
    while own:
        last = sorted(events[-1] for events in own.values())
        event = next(e for e in last if not any(past[other] >> e & 1 for other in last if other != e))
        order.append(event)
        own[actors[event]].pop()
        if not own[actors[event]]:
            del own[actors[event]]
    return order[::-1]


def mixed_up(*numbers: int) -> int:
    """A number that depends on all of `numbers` and shows no pattern (the finaliser of MurmurHash3)."""
    mixed = 0
    for number in numbers:
        mixed = (mixed ^ number) + _MIX & _WORD
        mixed = (mixed ^ mixed >> 33) * 0xFF51AFD7ED558CCD & _WORD
        mixed = (mixed ^ mixed >> 33) * 0xC4CEB9FE1A85EC53 & _WORD
        mixed ^= mixed >> 33
    return mixed


class Undetermined(Exception):
    """A run that is not a function of scenario, parameters and schedule."""


class _InOrder:
    """Lets actors go in a given order, with given outcomes, as far as that is possible."""

    def __init__(self, order: Sequence[tuple[Name, int]]) -> None:
        self._order = order
        self.strayed = False

    def start(self, record: Record) -> None:
        """Begin with the first."""
        self._record = record
        self._who: list[Name] = []

    def choose(self, options: Sequence[int], outcome: bool) -> int:
        """Who is next, or with which outcome."""
        index = self._record.index
        if index < len(self._order):
            wanted, taken = self._order[index]
            if len(self._who) < len(self._record.world.actors):
                self._who = names(self._record)
            for option in options:
                if (option == taken) if outcome else (self._who[option] == wanted):
                    return option
        self.strayed = True
        return options[0]

    def finish(self) -> None:
        """Keep nothing of the run."""


class Story:
    """What a run came to, apart from the order of what is independent."""

    def __init__(self, record: Record, past: Sequence[int] | None = None) -> None:
        world = record.world
        self.rows = sorted(rows(record, causality_of(record).past if past is None else past))
        self._outcome = record.outcome
        self._quiet = record.finding is None  # which of several violations came first is a matter of order
        self._memory = world.memory.array
        self._parts = [part(False) for part in world.parts]
        self._events: dict[Name, list[tuple[int, object]]] = {}
        who = names(record)
        for index, actor, event in world.events:
            self._events.setdefault(who[actor], []).append((index, event))

    def is_that_of(self, other: Story) -> bool:
        """Whether the two runs came to the same."""
        if (self.rows, self._outcome, self._quiet) != (other.rows, other._outcome, other._quiet):
            return False
        if not (self._memory == other._memory).all():
            return False
        if any(a != b for a, b in zip(self._parts, other._parts, strict=True) if a is not None and b is not None):
            return False
        if self._events.keys() != other._events.keys():
            return False
        return all(
            len(events) == len(other._events[name]) and all(map(_alike, events, other._events[name]))
            for name, events in self._events.items()
        )


def _alike(one: tuple[int, object], other: tuple[int, object]) -> bool:
    """Whether two events say the same; each may name the step in which it happened, which the order decides."""
    (now, event), (then, again) = one, other
    kind = type(event)
    if (kind.__module__, kind.__qualname__) != (type(again).__module__, type(again).__qualname__):
        return False
    fields = getattr(kind, "__dataclass_fields__", ())
    return all(_same(getattr(event, field), getattr(again, field), now, then) for field in fields)


def _same(value: object, again: object, now: int, then: int) -> bool:
    """Whether two values are equal, or cannot be compared: the types of a scenario may have been made twice."""
    if isinstance(value, enum.Enum) and isinstance(again, enum.Enum):
        return value.name == again.name
    if isinstance(value, tuple) and isinstance(again, tuple):
        return len(value) == len(again) and all(_same(a, b, now, then) for a, b in zip(value, again, strict=True))
    if isinstance(value, _PLAIN) or isinstance(again, _PLAIN):
        return value == again or (value == now and again == then)
    return True


class _Commuting:
    """Compares a run with others that take the same steps in another order."""

    def __init__(self, record: Record, again: Again, past: Sequence[int]) -> None:
        who = names(record)
        self._again = again
        self._plan = [(who[actor], outcome) for actor, outcome in zip(record.actors, record.outcomes, strict=True)]
        self.story = Story(record, past)

    def made(self, order: Sequence[int]) -> tuple[Record, bool]:
        """The run with its events in this order, and whether it comes to the same."""
        scheduler = _InOrder([self._plan[event] for event in order])
        record = self._again(scheduler)
        return record, not scheduler.strayed and Story(record).is_that_of(self.story)

    def culprits(self, target: Sequence[int]) -> tuple[int, int]:
        """Two events that are neighbours on the way to the order `target`, and whose exchange is not harmless."""
        swaps = _swaps(target)
        same, other = 0, len(swaps)
        while other - same > 1:
            middle = (same + other) // 2
            _, holds = self.made(_exchanged(len(target), swaps[:middle]))
            same, other = (middle, other) if holds else (same, middle)
        order, place = _exchanged(len(target), swaps[:same]), swaps[same]
        return order[place], order[place + 1]


class Difference(NamedTuple):
    """A run that comes to something else when it is made again: whose step is at fault, and why."""

    actor: int
    error: Exception


def can_be_compared(record: Record) -> bool:
    """Whether a run can be told from others: not if a finding cut it short, or if it went on behind its bound."""
    if record.outcome in ENDLESS:
        return record.outcome is Outcome.BOUND and record.index == record.world.stop_at
    return record.finding is None or record.to_the_end


def difference(
    record: Record, again: Again, past: Sequence[int], targets: Sequence[Sequence[int]]
) -> Difference | None:
    """Make a run that can be compared in each of the orders `targets`; what is wrong if one comes to something else."""
    commuting = _Commuting(record, again, past)
    plain = range(record.index)
    for target in targets:
        made, holds = commuting.made(target)
        if holds:
            continue
        if (told := _told(made)) is not None:
            return told
        if list(target) != list(plain):
            made, holds = commuting.made(plain)
        if holds:
            return _culprits(record, *commuting.culprits(target))
        return _told(made) or _undetermined(commuting.story, Story(made), record)
    return None


def _told(record: Record) -> Difference | None:
    """What the audit of single steps found in a run."""
    finding = record.finding
    if finding is None or finding.oracle != FootprintError.__name__:
        return None
    return Difference(record.actors[finding.step], FootprintError(finding.message))


def audit(record: Record, again: Again, unaudited: Again) -> None:
    """Make the run in another order, and then as a search makes it, without the audit.

    If either comes to anything else, its finding is a FootprintError, or Undetermined. Runs that were cut short by a
    finding, or do not end, tell nothing and are left as they are.
    """
    if not can_be_compared(record):
        return
    past = causality_of(record).past
    wrong = difference(record, again, past, [another_order(past, record.actors, 0)])
    wrong = wrong or _taken_otherwise(record, unaudited)
    if wrong is not None:
        record.finding = raised(record, wrong.actor, wrong.error)
        record.outcome, record.failing = record.finding.outcome, record.schedule


def _taken_otherwise(record: Record, unaudited: Again) -> Difference | None:
    """Whether the hot loop of searches takes other turns than an audited run, which has a loop of its own."""
    if record.finding is not None and record.finding.oracle == FootprintError.__name__:
        return None  # which only the audit finds
    turns = _turns(record)
    try:
        others = _turns(unaudited(Replay(record.schedule)))
    except ScheduleMismatch:
        others = []
    if turns == others:
        return None
    step = next((index for index, (one, other) in enumerate(zip(turns, others, strict=False)) if one != other), None)
    where = f" from step {step} on" if step is not None else ""
    return Difference(
        record.actors[step or 0],
        Undetermined(
            f"made again without the audit, the run is another one{where}: an actor catches FootprintError, something "
            "else than the schedule decides, or Execution.drive takes other turns than Execution.next"
        ),
    )


def _turns(record: Record) -> list[tuple[int, str, tuple[int, ...], int]]:
    """Of each step who, what, who could have gone, and with which outcome."""
    what = [step.what for step in record.steps]
    return list(zip(record.actors, what, record.offers, record.outcomes, strict=True))


def _undetermined(story: Story, again: Story, record: Record) -> Difference:
    """Where the run, made again in the same order, is another one."""
    known = set(again.rows)
    missing = {row[:3] for row in story.rows if row not in known}
    who, counts = names(record), [0] * len(record.world.actors)
    where = ""
    for actor, step in zip(record.actors, record.steps, strict=True):
        counts[actor] += 1
        if not where and (who[actor], counts[actor], step.what) in missing:
            where = f" from `{step.what}` of {who[actor][0]} on"
    return Difference(
        record.actors[-1],
        Undetermined(
            f"made again in the same order, the run is another one{where}: something else than the schedule decides "
            "(a clock, a random number, id(), hash(), the order of a set, a condition that changes something, or what "
            "an earlier run left behind)"
        ),
    )


def _culprits(record: Record, first: int, second: int) -> Difference:
    """The two steps whose order matters, and what both use."""
    actors = [record.world.actors[record.actors[event]] for event in (first, second)]
    what = [record.steps[event].what for event in (first, second)]
    codes = [getattr(actor.coroutine, "cr_code", None) for actor in actors]
    used = [set(code.co_freevars) if code is not None else set() for code in codes]
    common = sorted((used[0] & used[1]) - {"world", "cpu"})
    both = f" (both use {', '.join(common)})" if common else ""
    return Difference(
        record.actors[first],
        FootprintError(
            f"`{what[0]}` of {actors[0].name}, then `{what[1]}` of {actors[1].name}, is not the same as the other way "
            f"round: what one leaves for the other is in Python's own state{both}, a variable or what a property "
            'remembers, and not both declare it. Name one resource in both, such as writes=["done"] and '
            'reads=["done"], or keep it in a world.word()'
        ),
    )


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
