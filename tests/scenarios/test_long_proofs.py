"""Rows of the tables that take too long for every day, with what they came to: `pytest -m long` makes them again."""

from __future__ import annotations

import pytest

from scenarios.drain.prq_drain import prq_drain
from scenarios.drain.unbind_window import unbind_window
from scenarios.entries.attach_vs_share_asid import attach_vs_share_asid
from scenarios.invalidate.ats_retry import ats_retry
from scenarios.process_end.exit_window import exit_window
from scenarios.reset.device_gone import device_gone
from scenarios.reset.flr_tags import flr_tags
from scenarios.reset.stop_by_blocking import stop_by_blocking_translation as blocking
from scenarios.scenario import Scenario
from tests.searching import exhaust

FOUR = {"requests": 4, "credits": "one", "stop": "A"}


@pytest.mark.long
@pytest.mark.parametrize(
    ("scenario", "given", "schedules"),
    [
        (exit_window, {"fpd": "right", "order": "O5", "rogue": 1}, 3_696),
        (exit_window, {"fpd": "right", "order": "O5", "traffic": "page-request"}, 10_876),
        (unbind_window, {"drain": "full", "stop": "A", "reclaim": 1}, 21_666),  # under a minute
        (prq_drain, {"driver": "right", "overflow": "silent", **FOUR}, 35_997),  # a minute and a half
        (prq_drain, {"driver": "right", "stop": "B"}, 6_675),
        (prq_drain, {"driver": "right", "order": "O5", "pushed": "root-complex"}, 58_394),  # a minute and a half
        (flr_tags, {"drain": "around"}, 1_119),
        (unbind_window, {"drain": "stop-pri-wait"}, 8_673),  # two minutes
        (unbind_window, {"drain": "stop-pri-wait", "iommu": "vtd"}, 20_478),  # about five minutes
        (device_gone, {"driver": "blocks-ats", "loss": "reset", "accesses": 1}, 29_381),  # under a minute
        (flr_tags, {"requests": 0, "unmap": 1, "ats": "blocked", "writes": 1}, 20_984),  # about a minute
        (blocking, {"iommu": "vtd", "watch": "memory"}, 6_454),
        (blocking, {"iommu": "vtd", "block": "quiet-cd", "accesses": 2, "watch": "memory"}, 1_733),
        (attach_vs_share_asid, {"attach": "A1", "case": "2"}, 36_678),  # half a minute
        (ats_retry, {"gone": 2}, 176_132),  # 45 million steps in about six minutes
        (ats_retry, {"iommu": "vtd", "gone": 2}, 100_083),  # about five minutes
    ],
)
def test_all_inequivalent_schedules_hold(scenario: Scenario, given: dict[str, int | str], schedules: int) -> None:
    report = exhaust(scenario, given)
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (schedules, 0, True, [])
