"""A short campaign over all scenarios finds exactly the buckets that it must, and none where nothing may be found."""

from __future__ import annotations

from pathlib import Path

from .smoke import complaints, expected, run


def test_a_short_campaign_over_all_scenarios_finds_what_it_must(tmp_path: Path) -> None:
    with run(tmp_path, "small") as store:
        again = "python -m tests.campaign.smoke small DIR --write"
        assert complaints(store, expected("small")) == [], f"if that is meant to be: {again}"
