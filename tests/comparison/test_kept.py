"""Programs on which search once differed from all interleavings, as short as they could be made."""

from __future__ import annotations

import pytest
import trio

from actors.runtime.controlled import controlled

from .enumeration import Classes, Everything, enumerate_all
from .program import Program, parse
from .searched import differences
from .shapes import SHAPES

MOST = 5_000
KEPT: tuple[tuple[str, int, str], ...] = (
    (
        """actor a: select 1; load 0
           actor b: store 2 1; load 1
           actor c: store 0 2""",
        7,
        "what select touches before the store to word 2 was taken to be what it touches after it",
    ),
    (
        """actor a: select 1; load 0
           actor b: store 2 1; load 1
           actor c: store 0 2; store 0 2""",
        12,
        "the same, with a store of c before a race that was turned round long before",
    ),
    (
        """actor a: glance
           actor b: store 1 1; store 0 1
           actor c: store 1 2""",
        9,
        "who had read less than announced was woken by what it had announced: two classes were seen twice",
    ),
    (
        """actor a: pickone
           actor b: store 0 1; store 1 2
           actor c: store 1 1""",
        18,
        "a choice that touched less than it announced had one outcome only",
    ),
    (
        """actor a: pickone
           actor b: store 1 2; pickone
           actor c: store 1 1""",
        36,
        "a planned choice was taken to touch nothing but what one of its outcomes had touched",
    ),
    (
        """actor a: downany; note 0 1
           actor b: store 1 1; load 0
           actor c: store 0 2""",
        5,
        "a wait that touched less than it announced was taken for a step that can always be taken",
    ),
    (
        """actor a: store 0 0
           actor b: spawn { post 0 0; wait 0 1 }; post 0 0""",
        2,
        "whoever sleeps is no excuse before what he raced with is planned to its end",
    ),
    (
        """actor a: takeposted 0 { }
           actor b: complete 0 1; post 0 2
           actor c: takecompletion 0; load 0""",
        2,
        "a completion comes after no posted request that was sent behind it",
    ),
    (
        """actor a: store 1 2
           actor b: lock 0 { }; rmw 0
           actor c: waitboth 1""",
        1,
        "a wait that never comes may have been possible earlier",
    ),
    (
        """actor a: store 1 1
           actor b: store 1 2; rmw 0
           actor c: store 0 0
           actor d: waitboth 2""",
        4,
        "the same with a word that is written in every order",
    ),
    (
        """actor a: lock 0 { }
           actor b: raise 0; irq 0
           actor c: irq 0; lock 0 { }""",
        3,
        "who takes an edge from somebody keeps him from a lock",
    ),
    (
        """actor a: store 0 0
           actor b: irq 0
           actor c: irq 0; load 0
           actor d: raise 0""",
        3,
        "an edge that nobody else may take first",
    ),
    (
        """actor a: recv 0
           actor b: send 0 0; send 0 2
           actor c: send 0 2
           actor d: recv 0; recv 0; send 0 2""",
        12,
        "which message a receiver gets is known only when it takes it",
    ),
    (
        """actor a: fetch
           actor b: store 1 2
           actor c: fetch""",
        4,
        "whose numbers follow the order of spawning is planned by whose child he is",
    ),
)


def both(program: Program) -> tuple[Everything, list[str]]:
    """All interleavings, and in what search differs from them."""

    async def main() -> tuple[Everything, list[str]]:
        classes = Classes()
        everything = enumerate_all(program, classes, MOST)
        async with controlled() as driver:
            return everything, await differences(driver, program, everything, classes, seed=0)

    return trio.run(main)


@pytest.mark.parametrize(("text", "classes", "why"), KEPT)
def test_what_once_differed_no_longer_does(text: str, classes: int, why: str) -> None:
    everything, found = both(parse(text))
    assert (len(everything.ends), found) == (classes, []), why


@pytest.mark.parametrize("text", SHAPES)
def test_search_finds_all_of_what_is_known_to_be_hard(text: str) -> None:
    program = parse(text)
    assert parse(str(program)) == program
    everything, found = both(program)
    assert everything.runs >= len(everything.ends) >= 1
    assert not found
