"""Seed 001, the retry loop: the right device survives every order, each broken one is caught for its own reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session, World
from drivers.smmuv3.notifiers import NOTIFIERS
from hw.events.link import PageRequestRefused
from hw.pcie.tlp import ResponseCode
from hw.vtd.events import AccessAborted
from scenarios.invalidate.ats_retry import DEVICES, ats_retry
from tests.searching import exhaust, first_found


@pytest.mark.parametrize("iommu", ["smmuv3", "vtd"])
def test_every_oracle_is_killed_and_every_device_is_in_the_table(iommu: str) -> None:
    rows = [expected for expected in ats_retry.expected if expected.params.get("iommu", "smmuv3") == iommu]
    oracles = {oracle_name(oracle) for oracle in ats_retry.world(Session(), ats_retry.complete({})).oracles}
    assert {expected.oracle for expected in rows if expected.verdict == "violated"} == oracles
    assert {expected.params.get("device", "right") for expected in rows} == set(DEVICES)
    assert {expected.params.get("notifier", "waits") for expected in rows} == set(NOTIFIERS)


def test_a_page_that_is_gone_again_is_told_in_the_words_of_seed_001() -> None:
    first = first_found(ats_retry, {"device": "trusts"})
    assert first.finding.message == (
        "the device takes 1 accesses for done and 0 are in memory: the rest was dropped on the way, and nobody told it"
    )


class Denials:
    """Keeps what VT-d keeps out, of all schedules."""

    watches: ClassVar[tuple[type, ...]] = (AccessAborted, PageRequestRefused)

    def __init__(self) -> None:
        self.found: set[tuple[object, ...]] = set()

    def observe(self, event: AccessAborted | PageRequestRefused) -> None:
        """Why, and who hears of it."""
        match event:
            case AccessAborted(reason=reason, silent=silent, logged=logged):
                self.found.add((reason, silent, logged))
            case PageRequestRefused(why=why, code=code):
                self.found.add((why, code))

    def at_quiescence(self) -> None:
        """Nothing more."""


@pytest.mark.parametrize(
    ("given", "denials"),
    [
        ({"device": "trusts"}, {("FIRST_LEVEL_P", False, True)}),
        (
            {"device": "trusts", "change": "exit"},
            {("PASID_ENTRY_P", True, False), ("PASID_ENTRY_P", ResponseCode.INVALID)},
        ),
    ],
    ids=["reclaim", "exit"],
)
def test_vtd_records_a_hole_and_keeps_silent_about_a_process_that_died(
    given: dict[str, int | str], denials: set[tuple[object, ...]]
) -> None:
    seen = Denials()

    def build(world: World, **params: Any) -> None:
        ats_retry.fill(world, params)
        world.check(seen)

    assert exhaust(replace(ats_retry, build=build, record=None), {"iommu": "vtd", **given}).complete
    assert seen.found == denials
