"""Which steps of a run share an object of Python's that nothing they declare puts in an order."""

from __future__ import annotations

from collections.abc import Sequence

from ..primitives.looks import here
from ..primitives.sharing import SOMETHING, Looked, Sharing, Use, everything, names_of
from ..primitives.step import Step
from ..world import SC
from .causality import Causality, causality_of
from .record import Record


def learn(record: Record, sharing: Sharing) -> bool:
    """Take up what a run has shown to be shared beyond what was known; whether there was anything.

    Names are given from the next run on, so the first time it is only known that there is something.
    """
    if sharing.unknown:
        return False
    if here.everything:
        return sharing.grow({everything(here.everything)})
    together = _together(sharing.looked)
    if not together and not sharing.shared:
        return False
    names = set(names_of(sharing.shared))
    past: Sequence[int] = ()
    racing: list[list[Looked]] = []
    for looks in together:
        past = past or _in_order(record)
        if _is_unordered(looks, past):
            racing.append(looks)
    if racing and not sharing.shared:
        return sharing.grow({SOMETHING})
    names |= {sharing.name_of(looks[0].key, looks[0].thing) for looks in racing}
    if not names:
        return False
    actors = record.world.names
    uses: set[Use] = set()
    for look in sharing.looked:
        name = sharing.name_of(look.key, look.thing)
        if name in names and look.step < len(record.steps):
            uses.add((actors[look.actor], look.what, name, look.changed))
    return sharing.grow(uses)


def _in_order(record: Record) -> Sequence[int]:
    """Of each step the mask of those that stay before it in all orders of its class, and itself.

    Where a CPU may look at an older store, two steps that come to one word need not: who does as if its step had come
    earlier finds Python's objects as they are later.
    """
    if record.world.memory_model == SC:
        return causality_of(record).past
    words = record.world.session.resources.of_space("word")
    causality = Causality()
    for actor, step in zip(record.actors, record.steps, strict=True):
        kept = Step(step.what, step.reads & ~words, step.writes & ~words, takes=step.takes, gives=step.gives)
        causality.add(actor, kept)
    return causality.past


def _together(looked: Sequence[Looked]) -> list[list[Looked]]:
    """Of each object that several actors came to, and one of them changed, who looked at it when."""
    found: dict[object, list[Looked]] = {}
    for look in looked:
        found.setdefault(look.key, []).append(look)
    return [
        looks
        for looks in found.values()
        if any(look.changed for look in looks) and any(look.actor != looks[0].actor for look in looks)
    ]


def _is_unordered(looks: Sequence[Looked], past: Sequence[int]) -> bool:
    """Whether two looks of two actors, one of which is a change, are in no order."""
    for number, later in enumerate(looks):
        for earlier in looks[:number]:
            if (
                later.actor != earlier.actor
                and (later.changed or earlier.changed)
                and later.step < len(past)
                and not past[later.step] >> earlier.step & 1
                and not past[earlier.step] >> later.step & 1
            ):
                return True
    return False
