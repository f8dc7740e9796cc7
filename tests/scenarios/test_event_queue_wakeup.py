"""Race SMMU-R01: who empties the event queue looks once more, or an event waits for ever."""

from __future__ import annotations

import pytest

from scenarios.event_queue_wakeup import event_queue_wakeup
from scenarios.scenario import Expected
from tests.scenarios.agreement import assert_verdict
from tests.searching import identity

TRACES = {
    "thread=snapshot": (4, 1),
    "thread=re-read": (5, 0),
    "thread=re-read,events=4": (182, 0),
    "thread=snapshot,events=1": (1, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", event_queue_wakeup.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_verdict(event_queue_wakeup, expected, TRACES)
