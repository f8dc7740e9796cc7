"""The entry writer in C beside the one in Python, on the same transitions under the same SMMU: both agree."""

from __future__ import annotations

import pytest

from scenarios.c.entry_update import c_entry_update
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.scenarios.test_entry_update import TRACES as IN_PYTHON
from tests.searching import identity

from .racing import needs_c

TRACES = {
    "change=abort-cdtable,writer=in-order": (13, 3),
    "change=cdtable-bypass,writer=in-order": (13, 6),
    "change=empty-sva,writer=in-order": (26, 9),
    "change=sva-other,writer=in-order": (14, 6),
    "change=cdtable-stage2,writer=in-order": (49, 39),
}
"""Inequivalent schedules of a combination, and how many of them fail."""
TRACES |= {name.replace("6.9", "hitless"): numbers for name, numbers in IN_PYTHON.items() if "6.9" in name}


@needs_c
@pytest.mark.parametrize("expected", c_entry_update.expected, ids=identity)
def test_c_and_python_change_an_entry_alike(expected: Expected) -> None:
    """Of the hitless writer there are as many classes as of the one in Python."""
    assert_verdict(c_entry_update, expected, TRACES)
