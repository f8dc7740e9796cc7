"""Seed 001, drain and reset: every order of the two, and what each way to end a drain is worth on which IOMMU."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from drivers.smmuv3.reset_drains import PRIQ_DRAINS
from drivers.vtd.reset_drains import PRQ_DRAINS
from scenarios.oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from scenarios.oracles.no_unexpected_response import NoUnexpectedResponse
from scenarios.reset.flr_tags import flr_tags
from scenarios.scenario import BadValue, Expected
from tests.searching import assert_table, exhaust, identity

BUDGET = 200
"""Schedules of what `test_long_proofs` exhausts."""
HUNT = 1_000
"""Schedules in which a violation is found that nobody counts every day: 2,091, 1,775 and 1,419 in all."""

TRACES = {
    "drain=none": (213, 48),
    "drain=halt-before": (197, 0),
    "drain=after": (169, 0),
    "drain=halt-before,end=d0": (291, 48),
    "drain=after,end=d0": (235, 48),
    "drain=after,end=worker": (265, 40),
    "drain=after,end=no-pd": (299, 40),
    "drain=halt-before,end=no-pd": (387, 40),
    "drain=halt-before,end=stopped": (137, 0),
    "drain=after,end=stopped": (299, 40),
    "drain=after,pushed=root-complex": (745, 88),
    "drain=halt-before,pushed=root-complex": (857, 88),
    "drain=halt-before,end=stopped,pushed=root-complex": (203, 0),
    "drain=none,tags=kept": (189, 0),
    "drain=none,tags=kept,unexpected=error": (189, 102),
    "drain=none,tags=kept,prgis=1": (213, 48),
    "drain=after,unexpected=error": (169, 0),
    "drain=after,unexpected=error-always": (169, 90),
    "drain=halt-before,unexpected=error-always": (197, 0),
    "drain=after,requests=0,unmap=1": (31, 0),
    "drain=none,requests=0,unmap=1,inv_during_flr=ignored": (316, 288),
    "drain=after,requests=0,unmap=1,inv_during_flr=ignored,ats=blocked": (54, 0),
    "drain=none,requests=0,unmap=1,ats=gate-alone,writes=1": (144, 1),
    "drain=after,ats=blocked": (847, 0),
    "iommu=smmuv3,drain=none": (243, 80),
    "iommu=smmuv3,drain=after,end=worker": (243, 64),
    "iommu=smmuv3,drain=after": (331, 64),
    "iommu=smmuv3,drain=halt-before": (439, 64),
    "iommu=smmuv3,drain=halt-before,end=stopped": (67, 0),
    "iommu=smmuv3,drain=after,end=stopped": (271, 64),
    "iommu=smmuv3,drain=around,end=stopped": (6, 6),
    "iommu=smmuv3,drain=halt-before,end=stopped,pushed=root-complex": (115, 0),
    "iommu=smmuv3,drain=none,tags=kept": (203, 0),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1": (40, 0),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1,inv_during_flr=ignored": (44, 4),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1,inv_during_flr=ignored,ats=blocked": (154, 0),
    "iommu=smmuv3,drain=none,requests=0,unmap=1,ats=gate-alone,writes=1": (162, 1),
    "iommu=smmuv3,drain=halt-before,end=stopped,ats=blocked": (369, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", flr_tags.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    assert_table(flr_tags, expected, TRACES.get(identity(expected)), budget=BUDGET, hunted=HUNT)


def test_every_new_oracle_is_killed_and_every_variant_is_in_the_table_of_its_iommu() -> None:
    killed = {expected.oracle for expected in flr_tags.expected if expected.verdict == "violated"}
    oracles = {oracle_name(oracle) for oracle in flr_tags.world(Session(), flr_tags.complete({})).oracles}
    new = oracles - {"every-last-is-answered-once"} | {oracle_name(NoUnexpectedResponse())}
    assert killed == new | {"no-deadlock"}
    for iommu, ends in (("vtd", PRQ_DRAINS), ("smmuv3", PRIQ_DRAINS)):
        rows = [flr_tags.complete(expected.params) for expected in flr_tags.expected]
        rows = [row for row in rows if row["iommu"] == iommu]
        assert {row["end"] for row in rows} == set(ends)
        for name in ("drain", "tags", "inv_during_flr", "ats", "pushed", "writes"):
            assert {row[name] for row in rows} == set(flr_tags.params[name].allowed)
    reports = {flr_tags.complete(expected.params)["unexpected"] for expected in flr_tags.expected}
    assert reports == set(flr_tags.params["unexpected"].allowed)


def test_every_order_has_its_row_with_the_last_step_that_an_iommu_can_offer() -> None:
    """What is right: on VT-d every order that ends the drain behind the last request, on SMMUv3 the halt alone."""
    right = {
        (row["iommu"], row["drain"])
        for row, verdict in ((flr_tags.complete(one.params), one.verdict) for one in flr_tags.expected)
        if verdict == "holds" and row["tags"] == "reset" and row["requests"] == 1
    }
    assert right == {("vtd", "halt-before"), ("vtd", "after"), ("vtd", "around"), ("smmuv3", "halt-before")}


@pytest.mark.parametrize("iommu", flr_tags.params["iommu"].allowed)
def test_the_corruption_of_seed_001_is_told_in_its_own_words(iommu: str) -> None:
    report = exhaust(flr_tags, {"drain": "none", "iommu": iommu})
    assert report.first is not None
    assert report.first.finding.oracle == oracle_name(NoOldAnswerForANewRequest())
    assert report.first.finding.message == (
        "the answer SUCCESS to request 0 of the old life completes request 1 of the new one, as both have g0: the "
        "device goes on with a page that nobody looked at"
    )


def test_smmuv3_is_not_given_a_bit_that_it_does_not_have() -> None:
    given = flr_tags.complete({"iommu": "smmuv3", "end": "no-pd"})
    text = "parameter end='no-pd': only VT-d has that; with iommu=smmuv3 allowed are worker, wait, stopped"
    with pytest.raises(BadValue, match=text):
        flr_tags.world(Session(), given)
