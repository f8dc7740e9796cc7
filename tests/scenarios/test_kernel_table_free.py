"""VTD-R31, SMMU-R41: pages of kernel page tables, the stages of the fix, and both halves of the harm."""

from __future__ import annotations

import pytest

from scenarios.process_end.kernel_table_free import kernel_table_free
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

TRACES = {
    "fix=none": (3, 2),
    "fix=none,freed=upper,watch=marks": (3, 1),
    "fix=none,watch=marks": (3, 0),
    "fix=deferred": (3, 2),
    "fix=flush-late": (7, 4),
    "fix=flush-early,accesses=2": (18, 9),
    "fix=flush-leaves": (5, 2),
    "fix=sva-off": (1, 0),
    "fix=deferred-flush,accesses=2": (6, 0),
    "fix=deferred-flush,freed=upper,accesses=2": (8, 0),
    "fix=none,cache=none": (4, 2),
    "fix=deferred-flush,cache=none": (5, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", kernel_table_free.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(kernel_table_free, expected, TRACES[identity(expected)], budget=0)


def test_a_word_of_the_next_owner_is_what_the_walk_takes_for_an_entry() -> None:
    found = exhaust(kernel_table_free, {"freed": "upper"}).found
    assert {each.finding.message for each in found.values()} == {
        "a walk takes 0x11023 at 0x10000 for a PDE: that page was freed, and its next owner decides where the walk "
        "goes on"
    }
