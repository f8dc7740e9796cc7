"""An explanation in sentences: who did what *before* whom, and what would have to be the other way round.

A step's text is what its actor is to do ("look up PASID 1"). A known verb at its beginning is put in the third person,
a function is called, and anything else is quoted.
"""

from __future__ import annotations

import re

from tools.explore.strategies.points import Point

from .rows import plain

_VERBS = frozenset(
    re.findall(
        r"\w+",
        """access acknowledge act add allocate answer begin bind bump check choose clear close copy decrement do drain
        drop enqueue enter exit fill find finish flush free get give handle increment insert invalidate issue join kick
        leave load lock look make map mark move note notify open park pass poll pop post publish push put queue raise
        read receive refill release remove reply reset retry return ring see send serve set signal skip spawn spin
        start stop store take test touch try unbind unlock unmap unpark update use wait wake walk write""",
    )
)
_ACCESSES = ("load", "store")
"""Behind another verb they begin a label that is a sentence of its own."""
_FUNCTION = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+|kfree|kmalloc|mmget|mmput")
_PHRASES = {"read lock": "read-lock", "read unlock": "read-unlock", "write lock": "write-lock"}
_PHRASES |= {"write unlock": "write-unlock", "irq": "take interrupt", "rmw": "update"}


def does(point: Point) -> str:
    """A sentence in the indicative: `fault_worker looks up PASID 1`."""
    verb, rest = _deed(point)
    return f"{plain(point.actor)} {_third_person(verb)} {rest}{_ordinal(point)}".strip()


def never(point: Point) -> str:
    """The sentence denied: `fault_worker never looks up PASID 1`."""
    verb, rest = _deed(point)
    return f"{plain(point.actor)} never {_third_person(verb)} {rest}{_ordinal(point)}".strip()


def must(point: Point) -> str:
    """What would have to be: `fault_worker must look up PASID 1`."""
    verb, rest = _deed(point)
    return f"{plain(point.actor)} must {verb} {rest}{_ordinal(point)}".strip()


def _deed(point: Point) -> tuple[str, str]:
    what = plain(point.what)
    for phrase, verb in _PHRASES.items():
        if what.startswith(f"{phrase} "):
            return verb, what[len(phrase) + 1 :]
    word, _, rest = what.partition(" ")
    if ": " in what:
        return "reach", f'"{what}"'
    if word in _VERBS and rest.partition(" ")[0] not in _ACCESSES:
        return word, rest
    if _FUNCTION.fullmatch(word):
        return "call", what
    return "reach", f'"{what}"'


def _third_person(verb: str) -> str:
    head, hyphen, last = verb.rpartition("-")
    word, _, rest = last.partition(" ")
    ending = "es" if re.search(r"(s|sh|ch|x|z|o)$", word) else "ies" if re.search(r"[^aeiou]y$", word) else "s"
    stem = word[:-1] if ending == "ies" else word
    return f"{head}{hyphen}{stem}{ending} {rest}".strip()


def _ordinal(point: Point) -> str:
    """Which of several times is meant, with a comma ahead: `, for the 2nd time`."""
    number = point.occurrence
    if number == 1:
        return ""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f" for the {number}{ending} time"
