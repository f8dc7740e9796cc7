"""The program of a seed: a shape that someone thought of, changed here and there, or a mixture of some kinds of steps.

Numbers are drawn by a generator that is written out here, so that a seed means the same program in every Python.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import factorial, prod
from typing import TypeVar

from .program import Actor, Body, Op, Program, Property, parse, walk
from .shapes import SHAPES

T = TypeVar("T")
_MASK = (1 << 64) - 1
MOST_ESTIMATED = (2_000, 60_000, 300_000)
"""Interleavings that a program would have if nobody ever waited: one of these is the most that a seed allows."""
NAMES = "abcde"
KINDS: dict[str, str] = {
    "memory": "load store put rmw both setboth fetch",
    "boxes": "peek poke bump",
    "waits": "wait waitboth waitany down store rmw setboth",
    "polls": "poll pollnot pollsum spin store rmw",
    "lines": "raise raiseif irq raise irq",
    "ports": "send recv send recv",
    "works": "queue work flush queue work",
    "links": "post takeposted nonposted takenonposted complete takecompletion flushlink post takeposted",
    "notes": "note noteseen emit",
    "locks": "lock spinlock readlock writelock lock",
    "grabs": "grab drop",
    "wide": "select glance raiseif pickone downany",
    "choices": "choose pick if",
    "children": "spawn spawn spawndaemon",
    "loops": "loop if",
}
"""Names of operations by what they are about; what comes twice is drawn twice as often."""
WAITING_FROM = 50_000
"""From this seed on hardly anybody does anything but wait, mostly for several things, and let others go on."""
WAITING = "waits waits wide polls polls lines memory"
"""Kinds of steps in those programs."""
TIMED_FROM = 60_000
"""From this seed on there are waits that end when their time is over; below it there are none."""
TIMED = "waitlast waitlast downlast polllast polllast spinlast waitsoon pollsoon sleep"
BODIES = {
    "work": 1,
    "takeposted": 1,
    "lock": 1,
    "spinlock": 1,
    "readlock": 1,
    "writelock": 1,
    "loop": 1,
    "spawn": 1,
    "spawndaemon": 1,
    "if": 2,
}
NUMBERS: dict[str, tuple[int, ...]] = {
    "load": (3,),
    "store": (3, 3),
    "put": (3,),
    "rmw": (3,),
    "setboth": (3, 3),
    "peek": (2,),
    "poke": (2, 3),
    "bump": (2,),
    "select": (3,),
    "raise": (2,),
    "raiseif": (2, 3, 2),
    "wait": (3, 3),
    "idle": (3, 3),
    "waitboth": (3,),
    "waitany": (3,),
    "down": (3,),
    "irq": (2,),
    "poll": (3, 3),
    "pollnot": (3, 2),
    "spin": (3, 3),
    "pollsum": (4,),
    "send": (2, 3),
    "recv": (2,),
    "queue": (3,),
    "post": (2, 3),
    "takeposted": (2,),
    "nonposted": (2, 3),
    "takenonposted": (2,),
    "complete": (2, 3),
    "takecompletion": (2,),
    "flushlink": (2,),
    "note": (2, 3),
    "noteseen": (2,),
    "emit": (2, 3),
    "waitlast": (3, 3),
    "downlast": (3,),
    "polllast": (3, 3),
    "spinlast": (3, 3),
    "waitsoon": (3, 3),
    "pollsoon": (3, 3),
    "lock": (2,),
    "spinlock": (2,),
    "grab": (2,),
    "drop": (2,),
    "pick": (3,),
    "if": (3,),
}
"""Below what each number of an operation is; `choose` and `loop` have rules of their own."""
PARTNERS: dict[str, str] = {
    "recv": "send",
    "irq": "raise",
    "work": "queue",
    "flush": "queue",
    "takeposted": "post",
    "takenonposted": "nonposted",
    "takecompletion": "complete",
    "poll": "store",
    "spin": "store",
    "wait": "store",
    "waitany": "setboth",
    "waitboth": "setboth",
    "down": "rmw",
    "downany": "setboth",
    "pickone": "setboth",
    "peek": "bump",
    "glance": "select",
}
"""What each operation waits for, or can see."""
PROPERTIES: dict[str, tuple[int, ...]] = {"always": (2, 3), "rising": (2,), "rest": (3, 3), "seen": (2, 3)}


class Draw:
    """Numbers from a seed (SplitMix64)."""

    def __init__(self, seed: int) -> None:
        self._state = seed * 0xD1342543DE82EF95 & _MASK

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        mixed = self._state
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _MASK
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _MASK
        return (mixed ^ mixed >> 31) % limit

    def one_of(self, items: Sequence[T]) -> T:
        """One of some things."""
        return items[self.below(len(items))]


def program_of(seed: int) -> Program:
    """The program of a seed."""
    draw = Draw(seed)
    most = draw.one_of(MOST_ESTIMATED)
    while True:
        if seed >= TIMED_FROM:
            made = _timed(draw)
        elif seed >= WAITING_FROM:
            made = _waiting(draw)
        else:
            made = _changed(draw) if draw.below(2) else _answered(draw, _mixed(draw))
        made = _allowed(made)
        if len(made.actors) > 1 and most // 1_000 <= _estimate(made) <= most:
            return made


def _mixed(draw: Draw) -> Program:
    """Some kinds of steps, and all from a few words, ports and locks, so that they meet."""
    ops = [name for _ in range(2 + draw.below(3)) for name in KINDS[draw.one_of(list(KINDS))].split()]
    if not draw.below(3):
        ops += [name for kind in KINDS.values() for name in kind.split()][:: 1 + draw.below(6)]
    few = 1 + draw.below(3)
    actors = []
    for number in range(2 + (draw.below(4) + 1) // 2):
        body = tuple(_op(draw, ops, few) for _ in range(1 + draw.below(4)))
        actors.append(Actor(NAMES[number], body, daemon=not draw.below(8)))
    return Program(tuple(actors), _properties(draw))


def _waiting(draw: Draw) -> Program:
    """Three or four actors, daemons among them, that wait for few words."""
    ops = [name for kind in WAITING.split() for name in KINDS[kind].split()] + ["waitany", "downany", "pollsum"]
    if not draw.below(3):
        ops += KINDS[draw.one_of(list(KINDS))].split() * 3
    few = 1 + draw.below(2)
    actors = []
    for number in range(3 + draw.below(2)):
        body = tuple(_op(draw, ops, few) for _ in range(1 + draw.below(3)))
        actors.append(Actor(NAMES[number], body, daemon=not draw.below(5)))
    return Program(tuple(actors), _properties(draw))


def _timed(draw: Draw) -> Program:
    """Waits with a time-out, in a shape or among some kinds of steps."""
    made = _changed(draw) if draw.below(2) else _answered(draw, _mixed(draw))
    actors = []
    for actor in made.actors:
        body = actor.body
        for _ in range(draw.below(3)):
            at = draw.below(len(body) + 1)
            body = (*body[:at], _op(draw, TIMED.split(), 1 + draw.below(2)), *body[at + draw.below(2) :])
        actors.append(Actor(actor.name, body, actor.daemon))
    return Program(tuple(actors), made.properties)


def _answered(draw: Draw, made: Program) -> Program:
    """For most of the operations that wait for something, or can see it, somebody who does it."""
    bodies = [list(actor.body) for actor in made.actors]
    for number, actor in enumerate(made.actors):
        for op in walk(actor.body):
            partner = PARTNERS.get(op.name)
            if partner is None or not draw.below(3):
                continue
            numbers = tuple(map(draw.below, NUMBERS.get(partner, ())))
            numbers = (op.numbers + numbers[len(op.numbers) :])[: len(numbers)]
            body = bodies[(number + 1 + draw.below(len(bodies) - 1)) % len(bodies)]
            body.insert(draw.below(len(body) + 1), Op(partner, numbers))
    actors = [Actor(actor.name, tuple(body), actor.daemon) for actor, body in zip(made.actors, bodies, strict=True)]
    return Program(tuple(actors), made.properties)


def _properties(draw: Draw) -> tuple[Property, ...]:
    found = []
    for _ in range(max(draw.below(4) - 1, 0)):
        kind = draw.one_of(list(PROPERTIES))
        found.append(Property(kind, tuple(map(draw.below, PROPERTIES[kind]))))
    return tuple(found)


def _op(draw: Draw, names: Sequence[str], few: int, depth: int = 0) -> Op:
    name = draw.one_of(names)
    if depth > 1 and name in BODIES:
        return _op(draw, ["load", "store", "rmw", "note"], few)
    numbers = tuple(draw.below(limit if limit > 3 else min(limit, few + 1)) for limit in NUMBERS.get(name, ()))
    if name in ("choose", "loop"):
        numbers = (2 + draw.below(5) // 4,)
    bodies = tuple(
        tuple(_op(draw, names, few, depth + 1) for _ in range(draw.below(3))) for _ in range(BODIES.get(name, 0))
    )
    return Op(name, numbers, bodies)


def _changed(draw: Draw) -> Program:
    """A shape, with some of its operations added, left out, doubled, or with other numbers."""
    made = parse(draw.one_of(SHAPES))
    every = [name for kind in KINDS.values() for name in kind.split()]
    for _ in range(1 + draw.below(5)):
        actors = list(made.actors)
        at = draw.below(len(actors))
        actor = actors[at]
        change: Callable[[Draw, Body, Sequence[str]], Body] = draw.one_of((_added, _added, _left_out, _doubled, _other))
        own = [op.name for one in actors for op in walk(one.body)] or every
        body = change(draw, actor.body, own if draw.below(3) else every)
        actors[at] = Actor(actor.name, body, actor.daemon != (not draw.below(16)))
        if not draw.below(8) and len(actors) < 4:
            actors.append(Actor(NAMES[len(actors)], (_op(draw, own, 2),)))
        made = Program(tuple(actors), made.properties + (_properties(draw) if not draw.below(4) else ()))
    return made


def _added(draw: Draw, body: Body, names: Sequence[str]) -> Body:
    at = draw.below(len(body) + 1)
    if at < len(body) and body[at].bodies and draw.below(2):
        op = body[at]
        inner = (_added(draw, op.bodies[0], names), *op.bodies[1:])
        return (*body[:at], Op(op.name, op.numbers, inner), *body[at + 1 :])
    return (*body[:at], _op(draw, names, 2), *body[at:])


def _left_out(draw: Draw, body: Body, _: Sequence[str]) -> Body:
    at = draw.below(len(body)) if body else 0
    return (*body[:at], *body[at + 1 :])


def _doubled(draw: Draw, body: Body, _: Sequence[str]) -> Body:
    at = draw.below(len(body)) if body else 0
    return (*body[: at + 1], *body[at:])


def _other(draw: Draw, body: Body, _: Sequence[str]) -> Body:
    """Other numbers for one of the operations."""
    if not body:
        return body
    at = draw.below(len(body))
    op = body[at]
    limits = NUMBERS.get(op.name)
    numbers = tuple(map(draw.below, limits)) if limits else op.numbers
    return (*body[:at], Op(op.name, numbers, op.bodies), *body[at + 1 :])


def _allowed(made: Program) -> Program:
    """A link has one receiver of posted requests: the first actor that would be, and none of its children."""
    receivers: dict[int, str] = {}

    def keep(name: str, body: Body, child: bool) -> Body:
        kept = []
        for op in body:
            if op.name == "takeposted" and (child or receivers.setdefault(op.numbers[0], name) != name):
                continue
            inner = child or op.name.startswith("spawn")
            kept.append(Op(op.name, op.numbers, tuple(keep(name, part, inner) for part in op.bodies)))
        return tuple(kept)

    actors = [Actor(actor.name, keep(actor.name, actor.body, False), actor.daemon) for actor in made.actors]
    return Program(tuple(actor for actor in actors if actor.body), made.properties)


def _estimate(made: Program) -> int:
    """The interleavings that there would be if nobody ever waited, and children were there from the beginning."""
    counts: list[int] = []
    outcomes = 1
    for actor in made.actors:
        counts.append(0)
        _count(actor.body, counts, len(counts) - 1, 1)
        outcomes *= prod(op.numbers[0] if op.name == "choose" else 2 for op in walk(actor.body) if op.name in _CHOICES)
    return outcomes * factorial(sum(counts)) // prod(map(factorial, counts))


_CHOICES = ("choose", "pick")
_TWO_STEPS = (*BODIES, "flush", "pollsoon")


def _count(body: Body, counts: list[int], own: int, times: int) -> None:
    """Add to `counts` the steps of a body that is run so often; a child has an entry of its own."""
    for op in body:
        if op.name == "loop":
            _count(op.bodies[0], counts, own, times * op.numbers[0])
        elif op.name == "if":
            most = max(op.bodies, key=lambda part: sum(1 for _ in walk(part)))
            _count(most, counts, own, times)
        elif op.name.startswith("spawn"):
            counts[own] += times
            for _ in range(times):
                counts.append(1)
                _count(op.bodies[0], counts, len(counts) - 1, 1)
        else:
            counts[own] += times * (2 if op.name in _TWO_STEPS else 1)
            if op.name == "fetch":
                counts[own] += 2 * times
                counts += [1] * times
            for part in op.bodies:
                _count(part, counts, own, times)
