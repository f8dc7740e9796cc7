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
from tests.searching import first_found, identity


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
    first = first_found(flr_tags, {"drain": "none", "iommu": iommu})
    assert first.finding.oracle == oracle_name(NoOldAnswerForANewRequest())
    assert first.finding.message == (
        "the answer SUCCESS to request 0 of the old life completes request 1 of the new one, as both have g0: the "
        "device goes on with a page that nobody looked at"
    )


def test_smmuv3_is_not_given_a_bit_that_it_does_not_have() -> None:
    given = flr_tags.complete({"iommu": "smmuv3", "end": "no-pd"})
    text = "parameter end='no-pd': only VT-d has that; with iommu=smmuv3 allowed are worker, wait, stopped"
    with pytest.raises(BadValue, match=text):
        flr_tags.world(Session(), given)
