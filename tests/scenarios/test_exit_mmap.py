"""Seed 003: exit_mmap in the kernel's order, with batches of pages and freed page tables."""

from __future__ import annotations

import pytest

from scenarios.process_end.exit_mmap import exit_mmap
from scenarios.scenario import Expected
from tests.searching import assert_table, identity

TRACES = {
    "order=release-first": (48, 0),
    "order=release-first,watch=walks": (48, 0),
    "order=release-first,batch=1,accesses=2": (401, 0),
    "order=release-behind-pages": (96, 36),
    "order=release-last,watch=walks": (261, 81),
    "order=release-first,teardown=forgets-iotlb": (19, 0),
    "order=release-first,traffic=read": (134, 0),
    "order=release-first,teardown=forgets-iotlb,traffic=read": (67, 9),
    "order=release-first,teardown=forgets-iotlb,traffic=read,watch=walks": (67, 4),
    "order=release-first,traffic=ats": (899, 0),
    "order=release-first,traffic=ats,teardown=forgets-device-tlb": (89, 27),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", exit_mmap.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(exit_mmap, expected, TRACES[identity(expected)], budget=0)


def test_every_value_is_in_the_table() -> None:
    for name in ("order", "teardown", "traffic", "batch", "watch"):
        assert {exit_mmap.complete(row.params)[name] for row in exit_mmap.expected} == set(
            exit_mmap.params[name].allowed
        )
