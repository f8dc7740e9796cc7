"""The enumeration itself: exact numbers, and that it sees what is wrong with footprints and with searches."""

from __future__ import annotations

from math import factorial

import pytest
import trio

from actors.runtime.primitives.step import Step
from actors.runtime.runners.controlled import controlled
from tools.explore.dpor.reversal import Reversal
from tools.explore.dpor.stack import Stack

from . import enumeration
from .enumeration import Classes, Difference, Everything, TooMany, enumerate_all
from .generator import program_of
from .program import parse
from .searched import differences

WRITERS = "\n".join(f"actor {name}: store 0 {value}" for value, name in enumerate("abcd"))


def everything(text: str, most: int = 1_000) -> Everything:
    return enumerate_all(parse(text), Classes(), most)


def test_writers_of_one_word_have_a_class_for_each_order_and_those_of_several_have_one() -> None:
    same, apart = everything(WRITERS), everything("actor a: store 0 1\nactor b: store 1 1\nactor c: store 2 1")
    assert (same.runs, len(same.ends), same.longest) == (factorial(4), factorial(4), 4)
    assert (apart.runs, len(apart.ends), apart.longest) == (factorial(3), 1, 3)


def test_the_least_steps_to_each_failure_are_known() -> None:
    """What comes after another failure in all runs counts for nothing, as a search keeps the first of each run."""
    seen = everything(
        """actor a: lock 0 { lock 1 { } }
           actor b: note 0 2; lock 1 { lock 0 { } }
           always 0 2
           seen 0 1"""
    )
    assert seen.first_failure == {("always-0", "n0"): 1}
    assert seen.reached == {"seen-1": False}
    stuck = everything("actor a: lock 0 { lock 1 { } }\nactor b: lock 1 { lock 0 { } }")
    assert stuck.first_failure == {("no-deadlock", "a", "b"): 2}
    assert (stuck.fails_within(1), stuck.fails_within(2)) == (set(), {("no-deadlock", "a", "b")})


def test_more_interleavings_than_allowed_are_refused() -> None:
    with pytest.raises(TooMany, match=r"^more than 23 interleavings$"):
        everything(WRITERS, most=23)
    assert everything(WRITERS, most=24).runs == 24


def test_steps_that_do_not_say_what_they_touch_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(earlier: Step, later: Step) -> bool:
        return False

    monkeypatch.setattr(enumeration, "_ordered", never)
    with pytest.raises(Difference, match="two orders of independent steps end differently"):
        everything(WRITERS)
    with pytest.raises(Difference, match="cannot change places"):
        everything("actor a: send 0 1\nactor b: recv 0")


def test_a_search_that_forgets_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that turns round no race with the first step of a run."""
    program, classes = parse(WRITERS.replace("store 0 3", "note 0 1") + "\nalways 0 1"), Classes()
    seen = enumerate_all(program, classes, 1_000)
    add = Stack.add

    def forgets(stack: Stack, reversal: Reversal) -> None:
        if reversal.event:
            add(stack, reversal)

    async def main() -> list[str]:
        async with controlled() as driver:
            return await differences(driver, program, seen, classes, seed=0)

    monkeypatch.setattr(Stack, "add", forgets)
    assert "_at_once: 2 classes of 6" in trio.run(main)


def test_a_seed_means_the_same_program_everywhere() -> None:
    assert str(program_of(242)) == (
        "daemon a: pick 0; if 1 { store 1 1 } { store 1 2 }; if 1 { store 1 1 } { store 1 2 }; store 0 0; recv 1\n"
        "actor b: store 0 1; poke 1 1; load 1\n"
        "actor c: store 0 0\n"
        "rising 1"
    )


def test_a_line_that_means_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no actor, daemon or property: actr a: load 0"):
        parse("actr a: load 0")
