"""Seed 000 and its variants: every combination comes to what its table says, by exhaustion where that is quick."""

from __future__ import annotations

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from scenarios.drain.unbind_window import MUTANTS, unbind_window
from tests.searching import first_found


def test_every_oracle_is_killed_by_some_combination_and_by_no_fixed_one() -> None:
    params = unbind_window.complete({"reuse": "strict"})
    oracles = {oracle_name(oracle) for oracle in unbind_window.world(Session(), params).oracles}
    killed = {expected.oracle for expected in unbind_window.expected if expected.verdict == "violated"}
    assert killed == oracles | {"no-deadlock"}


def test_every_variant_and_every_mutant_is_in_the_table() -> None:
    for name, values in (("drain", unbind_window.params["drain"].allowed), ("mutant", tuple(MUTANTS))):
        assert {expected.params.get(name) for expected in unbind_window.expected} >= set(values)


def test_the_race_of_seed_000_is_told_in_its_own_words() -> None:
    first = first_found(unbind_window, {"drain": "none"})
    assert first.finding.message == (
        "request #0 was queued for P1 under bind1 and is handled for mm B under bind2: another process takes the fault"
    )
