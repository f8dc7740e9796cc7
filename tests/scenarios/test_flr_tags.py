"""Seed 001, drain and reset: every order of the two, and what each way to end a drain is worth on which IOMMU."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.world import Session
from drivers.smmuv3.reset_drains import PRIQ_DRAINS
from drivers.vtd.reset_drains import PRQ_DRAINS
from scenarios.oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from scenarios.oracles.no_unexpected_response import NoUnexpectedResponse
from scenarios.parameters import BadValue
from scenarios.reset.flr_tags import flr_tags
from scenarios.scenario import Expected
from tests.searching import assert_table, exhaust, identity

BUDGET = 200
"""Schedules of what `test_long_proofs` exhausts."""
HUNT = 1_000
"""Schedules in which a violation is found that nobody counts every day: 1,129, 983, 993 and 775 in all."""

TRACES = {
    "drain=none": (115, 24),
    "drain=halt-before": (447, 44),
    "drain=halt-before,config_completion=pushes": (201, 0),
    "drain=halt-read-before": (113, 0),
    "drain=after": (99, 0),
    "drain=after-unread": (370, 44),
    "drain=after-unread,config_completion=pushes": (169, 0),
    "drain=halt-read-before,end=d0": (113, 0),
    "drain=after,end=d0": (99, 0),
    "drain=halt-read-before,end=d0-register": (163, 24),
    "drain=after,end=d0-register": (126, 24),
    "drain=after,end=worker": (147, 20),
    "drain=after,end=no-pd": (164, 20),
    "drain=halt-read-before,end=no-pd": (223, 20),
    "drain=halt-before,end=stopped": (99, 0),
    "drain=after,end=stopped": (164, 20),
    "drain=after,pushed=root-complex": (387, 44),
    "drain=halt-read-before,pushed=root-complex": (464, 44),
    "drain=halt-before,end=stopped,pushed=root-complex": (99, 0),
    "drain=none,tags=kept": (103, 0),
    "drain=none,tags=kept,unexpected=error": (103, 51),
    "drain=none,tags=kept,prgis=1": (115, 24),
    "drain=after,unexpected=error": (99, 0),
    "drain=after,unexpected=error-always": (99, 60),
    "drain=halt-read-before,unexpected=error-always": (113, 0),
    "drain=after,requests=0,unmap=1": (27, 0),
    "drain=none,requests=0,unmap=1,inv_during_flr=ignored": (291, 270),
    "drain=after,requests=0,unmap=1,inv_during_flr=ignored,ats=blocked": (38, 0),
    "drain=none,requests=0,unmap=1,ats=gate-alone,writes=1": (82, 1),
    "drain=after,ats=blocked": (495, 0),
    "iommu=smmuv3,drain=none": (127, 40),
    "iommu=smmuv3,drain=after,end=worker": (124, 32),
    "iommu=smmuv3,drain=after": (168, 32),
    "iommu=smmuv3,drain=halt-read-before": (246, 32),
    "iommu=smmuv3,drain=halt-before,end=stopped": (55, 0),
    "iommu=smmuv3,drain=after,end=stopped": (138, 32),
    "iommu=smmuv3,drain=around,end=stopped": (6, 6),
    "iommu=smmuv3,drain=halt-before,end=stopped,pushed=root-complex": (55, 0),
    "iommu=smmuv3,drain=none,tags=kept": (107, 0),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1": (28, 0),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1,inv_during_flr=ignored": (32, 4),
    "iommu=smmuv3,drain=halt-before,end=stopped,requests=0,unmap=1,inv_during_flr=ignored,ats=blocked": (108, 0),
    "iommu=smmuv3,drain=none,requests=0,unmap=1,ats=gate-alone,writes=1": (100, 1),
    "iommu=smmuv3,drain=halt-before,end=stopped,ats=blocked": (206, 0),
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
    """What is right: on VT-d every order in which the drain comes behind the last request, on SMMUv3 the halt alone."""
    right = {
        (row["iommu"], row["drain"])
        for row, verdict in ((flr_tags.complete(one.params), one.verdict) for one in flr_tags.expected)
        if verdict == "holds" and row["tags"] == "reset" and row["requests"] == 1
        if row["config_completion"] == "may-pass" and (row["iommu"], row["end"]) != ("vtd", "stopped")
    }
    assert right == {("vtd", "halt-read-before"), ("vtd", "after"), ("vtd", "around"), ("smmuv3", "halt-before")}


def test_no_proof_but_those_that_say_so_leans_on_a_completion_that_pushes() -> None:
    pushed = {identity(row): row.verdict for row in flr_tags.expected if "config_completion" in row.params}
    assert pushed == {
        "drain=halt-before,config_completion=pushes": "holds",
        "drain=after-unread,config_completion=pushes": "holds",
    }


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
