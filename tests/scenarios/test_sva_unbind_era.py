"""What an unbind leaves behind, era by era."""

from __future__ import annotations

from scenarios.process_end.sva_unbind_era import sva_unbind_era
from tests.searching import exhaust


def test_in_the_newest_era_a_freed_group_is_answered_and_a_freed_handle_followed() -> None:
    found = exhaust(sva_unbind_era, {"era": "7.1"}).found
    assert set(found) == {("no-use-after-free", "iopf_group #0"), ("no-use-after-free", "attach handle of bind1")}


def test_without_early_retry_stopping_the_device_ends_every_stall_in_every_era() -> None:
    for era in sva_unbind_era.params["era"].allowed:
        if era == "7.1-late-list":
            continue  # it breaks whatever the device does
        report = exhaust(sva_unbind_era, {"era": str(era), "early": 0})
        assert report.complete
        assert not report.found
        assert not report.vacuous


def test_every_era_is_in_the_table() -> None:
    assert {expected.params["era"] for expected in sva_unbind_era.expected} == set(sva_unbind_era.params["era"].allowed)
