"""Seed 000 and its variants: every combination comes to what its table says, by exhaustion where that is quick."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from scenarios.drain.unbind_window import MUTANTS, unbind_window
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "drain=none,stop=B": (1194, 160),
    "drain=none,stop=A": (10, 0),
    "drain=full,stop=B": (415, 0),
    "drain=full,stop=A": (10, 0),
    "drain=full,stop=A,reuse=strict,group=2,priq=0": (4075, 0),
    "drain=marker,stop=B": (73, 0),
    "drain=marker,stop=A,flags=swapped": (10, 10),
    "drain=marker,stop=B,flags=swapped": (1194, 160),
    "drain=marker,stop=B,flags=missing": (37, 0),
    "drain=marker,stop=B,priq=0": (57, 8),
    "drain=marker-timeout,stop=B,priq=0": (488, 0),
    "drain=full,stop=B,pushed=root-complex": (1333, 124),
    "drain=marker,stop=B,pushed=root-complex": (73, 0),
    "drain=full,stop=B,trigger=exit": (1262, 0),
    "drain=none,stop=B,trigger=exit": (3300, 320),
    "drain=full,stop=B,trigger=exit,flags=missing": (939, 0),
    "drain=full,stop=B,trigger=exit,mmput=sync": (986, 12),
    "drain=full,stop=A,reclaim=1,mutant=forget-atc": (1186, 8),
    "drain=full,stop=A,requests=2,mutant=answer-group-0": (1429, 1224),
    "drain=full,stop=B,mutant=lose-response": (82, 75),
    "drain=none,stop=A,mutant=answer-marker": (10, 0),
    "drain=marker,stop=B,mutant=answer-marker": (73, 73),
    "drain=full,stop=B,mutant=leaky-device": (415, 327),
    "drain=none,stop=A,iommu=vtd": (10, 0),
    "drain=full,stop=B,iommu=vtd": (481, 0),
    "drain=full,stop=A,iommu=vtd": (10, 0),
    "drain=marker,stop=B,pushed=root-complex,iommu=vtd": (67, 0),
    "drain=marker,stop=B,priq=0,iommu=vtd": (58, 21),
    "drain=full,stop=B,mutant=lose-response,iommu=vtd": (134, 119),
    "drain=full,stop=B,mutant=leaky-device,iommu=vtd": (481, 295),
}
"""Inequivalent schedules of a combination, and how many of them fail; those that are exhausted in seconds."""

BUDGET = 800
"""Schedules for larger combinations that hold: no proof."""

HUNTED = 4_000
"""Schedules within which the default strategy finds what breaks the larger ones."""


@pytest.mark.parametrize("expected", unbind_window.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(unbind_window, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNTED)


def test_every_oracle_is_killed_by_some_combination_and_by_no_fixed_one() -> None:
    params = unbind_window.complete({"reuse": "strict"})
    oracles = {oracle_name(oracle) for oracle in unbind_window.world(Session(), params).oracles}
    killed = {expected.oracle for expected in unbind_window.expected if expected.verdict == "violated"}
    assert killed == oracles | {"no-deadlock"}


def test_every_variant_and_every_mutant_is_in_the_table() -> None:
    for name, values in (("drain", unbind_window.params["drain"].allowed), ("mutant", tuple(MUTANTS))):
        assert {expected.params.get(name) for expected in unbind_window.expected} >= set(values)


def test_the_race_of_seed_000_is_told_in_its_own_words() -> None:
    report = exhaust(unbind_window, {"drain": "none"})
    assert report.first is not None
    assert report.first.finding.message == (
        "request #0 was queued for P1 under bind1 and is handled for mm B under bind2: another process takes the fault"
    )
