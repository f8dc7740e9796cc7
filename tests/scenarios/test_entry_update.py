"""Every change of an STE or CD against a fetching SMMU: all combinations are small enough to be exhausted."""

from __future__ import annotations

import pytest

from actors.runtime.events import oracle_name
from actors.runtime.schedule import RandomWalk
from actors.runtime.world import Session
from drivers.entry_writer import WRITERS
from scenarios.entry_transitions import TRANSITIONS
from scenarios.entry_update import entry_update
from scenarios.scenario import Expected
from tests.running import of, runs
from tests.searching import exhaust, identity, oracles_of

TRACES = {
    "change=abort-cdtable,writer=6.9": (190, 0),
    "change=cdtable-abort,writer=6.9": (148, 0),
    "change=cdtable-bypass,writer=6.9": (508, 0),
    "change=bypass-cdtable,writer=6.9": (582, 0),
    "change=s1dss,writer=6.9": (32, 0),
    "change=eats,writer=6.9": (76, 0),
    "change=table-and-eats,writer=6.9": (404, 0),
    "change=table-and-s1dss,writer=6.9": (328, 0),
    "change=empty-sva,writer=6.9": (308, 0),
    "change=sva-empty,writer=6.9": (308, 0),
    "change=sva-quiet,writer=6.9": (308, 0),
    "change=sva-asid,writer=6.9": (60, 0),
    "change=sva-other,writer=6.9": (748, 0),
    "change=s1dss,writer=old,fetch=plain": (40, 29),
    "change=cdtable-bypass,writer=old,fetch=plain": (40, 29),
    "change=sva-quiet,writer=old,fetch=plain": (40, 29),
    "change=sva-asid,writer=old,fetch=plain": (29, 18),
    "change=sva-other,writer=old,fetch=plain": (40, 0),
    "change=sva-other,writer=old,fetch=reversed": (51, 11),
    "change=empty-sva,writer=old": (102, 14),
    "change=abort-cdtable,writer=split": (290, 100),
    "change=bypass-cdtable,writer=split": (810, 228),
    "change=empty-sva,writer=split": (432, 124),
    "change=sva-quiet,writer=split": (432, 124),
    "change=sva-other,writer=split": (1236, 268),
    "change=s1dss,writer=split": (32, 0),
    "change=sva-empty,writer=split": (432, 0),
    "change=table-and-eats,writer=pre-MEV-safe": (484, 344),
    "change=eats,writer=pre-MEV-safe": (76, 0),
    "change=cdtable-bypass,writer=no-wait": (72, 10),
    "change=table-and-eats,writer=no-wait": (130, 0),
}
"""Inequivalent schedules of a combination, and how many of them fail."""


@pytest.mark.parametrize("expected", entry_update.expected, ids=identity)
def test_a_combination_comes_to_what_its_table_says(expected: Expected) -> None:
    report = exhaust(entry_update, expected.params)
    assert report.complete
    assert not report.vacuous
    assert (expected.verdict == "violated") == bool(report.found)
    assert not expected.oracle or expected.oracle in oracles_of(report)
    assert (report.schedules, report.failing) == TRACES[identity(expected)]


def test_every_oracle_is_killed_and_every_writer_and_change_is_in_the_table() -> None:
    world = entry_update.world(Session(), entry_update.complete({}))
    oracles = {oracle_name(oracle) for oracle in world.oracles}
    assert {expected.oracle for expected in entry_update.expected if expected.oracle} == oracles
    assert {expected.params["writer"] for expected in entry_update.expected} == set(WRITERS)
    assert {expected.params["change"] for expected in entry_update.expected} == set(TRANSITIONS)
    broken = {e.params["writer"] for e in entry_update.expected if e.verdict == "violated"}
    assert broken == set(WRITERS) - {"6.9"}


def test_a_prefetching_smmu_finds_no_more_than_one_with_traffic() -> None:
    report = exhaust(entry_update, {"change": "s1dss", "prefetches": 1})
    assert (report.schedules, report.failing, report.complete) == (1316, 0, True)


@pytest.mark.parametrize("expected", entry_update.expected, ids=identity)
def test_no_step_touches_what_it_does_not_declare(expected: Expected) -> None:
    build = of(entry_update, dict(expected.params) | {"prefetches": 1})
    for execution in runs(build, 10, RandomWalk(11), audit=True):
        assert execution.finding is None or execution.finding.oracle != "FootprintError", execution.finding


def test_what_the_smmu_saw_is_said_in_fields() -> None:
    report = exhaust(entry_update, {"change": "sva-quiet", "writer": "split"})
    assert report.first is not None
    message = report.first.finding.message
    assert message.startswith("the SMMU acts on CD[0] as `quiet ASID=0x1 ASET=0x1 A=0x1 R=0x1 IPS=0x5 EPD1=0x1`; ")
    assert "`quiet ASID=0x1 ASET=0x1 A=0x1 IPS=0x5 EPD1=0x1`" in message
