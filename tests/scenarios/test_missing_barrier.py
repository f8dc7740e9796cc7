"""The SMMUv3 driver's barriers: what each is for under `arm` stands in the verdict table; under `sc` it is nothing."""

from __future__ import annotations

import pytest

from scenarios.queues.missing_barrier import LOCK_FREE, missing_barrier
from tests.searching import exhaust


@pytest.mark.parametrize("barrier", LOCK_FREE)
def test_no_barrier_is_needed_where_memory_is_sequentially_consistent(barrier: str) -> None:
    report = exhaust(missing_barrier, {"barrier": barrier, "memory": "sc"})
    assert (report.schedules, report.failing, report.complete) == (412, 0, True)
