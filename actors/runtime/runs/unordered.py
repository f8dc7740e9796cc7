"""Which steps of a run share an object of Python's that nothing they declare puts in an order."""

from __future__ import annotations

from collections.abc import Sequence

from ..primitives.sharing import SOMETHING, Looked, Sharing, Use, names_of
from .causality import causality_of
from .record import Record


def learn(record: Record, sharing: Sharing) -> bool:
    """Take up what a run has shown to be shared beyond what was known; whether there was anything.

    Names are given from the next run on, so the first time it is only known that there is something.
    """
    together = _together(sharing.looked)
    if not together and not sharing.shared:
        return False
    names = set(names_of(sharing.shared))
    past: Sequence[int] = ()
    racing: list[list[Looked]] = []
    for looks in together:
        past = past or causality_of(record).past
        if _is_unordered(looks, past):
            racing.append(looks)
    if racing and not sharing.shared:
        return sharing.grow({SOMETHING})
    names |= {sharing.name_of(looks[0].key, looks[0].thing) for looks in racing}
    if not names:
        return False
    actors, steps = record.world.names, record.steps
    uses: set[Use] = set()
    for look in sharing.looked:
        name = sharing.name_of(look.key, look.thing)
        if name in names and look.step < len(steps):
            uses.add((actors[look.actor], steps[look.step].what, name, look.changed))
    return sharing.grow(uses)


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
