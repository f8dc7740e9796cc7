"""Seed 001, drain and reset: every order of the two, and what each way to end a drain is worth."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.world import Session
from scenarios.flr_tags import ATS, ENDS, TAGS, flr_tags
from scenarios.oracles.no_old_answer_for_a_new_request import NoOldAnswerForANewRequest
from scenarios.oracles.no_unexpected_response import NoUnexpectedResponse
from scenarios.scenario import Expected
from tests.searching import assert_agrees, exhaust, identity

TRACES = {
    "drain=none": (243, 80),
    "drain=before": (719, 144),
    "drain=halt-before": (87, 0),
    "drain=after": (75, 0),
    "drain=around": (243, 0),
    "drain=after,end=worker": (243, 64),
    "drain=after,end=sync": (331, 64),
    "drain=halt-before,end=sync": (439, 64),
    "drain=halt-before,end=stopped": (67, 0),
    "drain=after,end=stopped": (271, 64),
    "drain=none,tags=kept": (203, 0),
    "drain=none,tags=kept,unexpected=error": (203, 140),
    "drain=none,tags=kept,prgis=1": (243, 80),
    "drain=after,unexpected=error": (75, 0),
    "drain=after,requests=0,unmap=1": (39, 0),
    "drain=after,requests=0,unmap=1,inv_during_flr=ignored": (42, 3),
    "drain=after,requests=0,unmap=1,inv_during_flr=ignored,ats=blocked": (21, 0),
    "drain=after,unmap=1,inv_during_flr=ignored,ats=blocked": (4485, 0),
}


@pytest.mark.parametrize("expected", flr_tags.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    report = exhaust(flr_tags, expected.params)
    assert_agrees(expected, report)
    assert report.complete
    assert (report.schedules, report.failing) == TRACES[identity(expected)]


def test_every_new_oracle_is_killed_and_every_variant_is_in_the_table() -> None:
    killed = {expected.oracle for expected in flr_tags.expected if expected.verdict == "violated"}
    oracles = {oracle_name(oracle) for oracle in flr_tags.world(Session(), flr_tags.complete({})).oracles}
    assert killed == oracles - {"every-last-is-answered-once"} | {oracle_name(NoUnexpectedResponse())}
    for name, values in (("end", ENDS), ("tags", TAGS), ("ats", ATS)):
        default = flr_tags.params[name].default
        assert {expected.params.get(name, default) for expected in flr_tags.expected} == set(values)
    assert {expected.params["drain"] for expected in flr_tags.expected} == set(flr_tags.params["drain"].allowed)


def test_the_corruption_of_seed_001_is_told_in_its_own_words() -> None:
    report = exhaust(flr_tags, {"drain": "none"})
    assert report.first is not None
    assert report.first.finding.oracle == oracle_name(NoOldAnswerForANewRequest())
    assert report.first.finding.message == (
        "the answer SUCCESS to request 0 of the old life completes request 1 of the new one, as both have g0: the "
        "device goes on with a page that nobody looked at"
    )
