"""Seed 004, by exhaustion where that is quick: where the race is, where it is not, and what remains of it."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import Violation, oracle_name
from actors.runtime.primitives.session import Session
from actors.runtime.runs.scheduler import Replay
from drivers.events.attach import AccessLanded, ConfigInvalidated, ContextStored, Names, StreamStored
from drivers.smmuv3.attach.variants import VARIANTS
from hw.smmuv3 import LANE
from scenarios.entries.attach_vs_share_asid import attach_vs_share_asid
from scenarios.oracles.no_access_through_a_foreign_entry import NoAccessThroughAForeignEntry
from scenarios.oracles.one_table_per_asid import Event, OneTablePerAsid
from tests.running import of, run
from tests.searching import exhaust, first_found, identity, oracles_of, search
from tools.experiments.terms import Terms
from tools.explore.search import Budget
from tools.explore.strategies.endless import Endless
from tools.explore.strategies.surw import Surw
from tools.findings.shrinking import shortest
from tools.show.columns import columns
from tools.terminal.interrupt import StopRequest

EACH = {
    "attach=A2,case=2": 215,
    "attach=A2,tlbi=on": 228,
    "attach=A2,btm=off": 140,
    "attach=A3,accesses=3": 1238,
}
"""Inequivalent schedules of rows that hold, if each thread has a queue of its own: then whatever the two issue comes in
any order, of which one queue for all allows some."""
DRAWN = 400
"""Schedules in which both oracles of the default combination are broken, drawn by SURW."""
DIAGRAM = """
     CPU0                  CPU1                  HW
     attach_dev            sva_bind              smmu
     --------------------  --------------------  -----------------------
  1  list_del(M, D->devices)
  4                        lock arm_smmu_asid_lock
  8                        share_asid: D 1->3, no master
 20                                              TLBI_NH_ASID(1)
 26                        unlock arm_smmu_asid_lock
 40                                              CFGI_CD(S, 1)
 41                                              SYNC [CFGI_CD(S, 1)]
 44                        CD1(S) = {ASID 1, P} -> smmu [*]

[*] VIOLATION one-table-per-asid: ASID 1 leads to the tables of D in
    CD0(M) and to the tables of P in CD1(S); the SMMU may use both CDs
    and cannot tell their TLB entries apart (step 44)
"""


@pytest.mark.parametrize("row", EACH)
def test_a_queue_for_each_thread_proves_what_holds_with_one_for_all(row: str) -> None:
    expected = next(each for each in attach_vs_share_asid.expected if identity(each) == row)
    report = exhaust(attach_vs_share_asid, {**expected.params, "cmdq": "each"})
    assert expected.verdict == "holds"
    assert (report.schedules, report.failing, report.complete, report.vacuous) == (EACH[row], 0, True, [])


def test_every_variant_is_in_the_table() -> None:
    assert {expected.params["attach"] for expected in attach_vs_share_asid.expected} == set(VARIANTS)
    world = attach_vs_share_asid.world(Session(), attach_vs_share_asid.complete({}))
    assert {oracle_name(oracle) for oracle in world.oracles} == {
        oracle_name(OneTablePerAsid()),
        oracle_name(NoAccessThroughAForeignEntry()),
    }


def test_each_oracle_is_killed_and_the_wrong_page_outlives_the_window() -> None:
    report = search(attach_vs_share_asid, {}, Endless(Surw(0)), Budget(DRAWN))
    assert oracles_of(report) == {"one-table-per-asid", "no-access-through-a-foreign-entry"}
    late = report.found["no-access-through-a-foreign-entry", "stream 1"]
    execution = run(of(attach_vs_share_asid, {}), Replay(late.schedule))
    events = [event for _, _, event in execution.world.events]
    closed = next(
        place
        for place, event in enumerate(events)
        if isinstance(event, ConfigInvalidated) and (event.sid, event.ssid, event.complete) == (0, -1, True)
    )
    given_away = next(
        place for place, event in enumerate(events) if isinstance(event, ContextStored) and event.ssid == 1
    )
    assert closed < given_away, "M's STE was gone, and waited for, before the process had a CD with the ASID"
    assert isinstance(events[-1], AccessLanded)
    assert (events[-1].sid, events[-1].asid) == (1, 1)
    assert events[-1].found != events[-1].meant


def test_the_finding_reads_like_the_two_cpu_diagram_of_a_commit_message() -> None:
    terms = Terms("attach-vs-share-asid", tuple(attach_vs_share_asid.complete({"dma": "off"}).items()), None)
    found = first_found(attach_vs_share_asid, {"dma": "off"})
    drawing = "\n".join(columns(shortest(terms, found, StopRequest()).trace))
    assert DIAGRAM in drawing


def test_mostafas_second_case_has_no_window_however_often_the_master_looks() -> None:
    report = search(attach_vs_share_asid, {"case": "2", "accesses": 2}, Endless(Surw(0)), Budget(DRAWN))
    assert not report.found


class Exact(OneTablePerAsid):
    """Also insists that an event changes nothing but what it declares, on which reduction relies."""

    def observe(self, event: Event) -> None:
        """Compare what the SMMU may use, before and after."""
        before = {(sid, context) for sid in self._leads for context in self._usable(sid)}
        try:
            super().observe(event)
        finally:
            after = {(sid, context) for sid in self._leads for context in self._usable(sid)}
            assert {asid for _, (_, asid, _) in before ^ after} <= set(event.asids), event


@pytest.mark.parametrize("case", ["1", "2"])
@pytest.mark.parametrize("attach", VARIANTS)
def test_no_event_concerns_an_asid_that_it_does_not_declare(
    attach: str, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scenarios.entries.attach_vs_share_asid.OneTablePerAsid", Exact)
    report = exhaust(attach_vs_share_asid, {"attach": attach, "case": case, "dma": "off"}, 300)
    assert oracles_of(report) <= {"exact"}


def test_what_a_cache_may_hold_counts_until_the_sync() -> None:
    oracle = OneTablePerAsid(
        StreamStored(target=LANE, sid=0, table=0x1000, asids=()),
        StreamStored(target=LANE, sid=1, table=0x2000, asids=()),
        ContextStored(target=LANE, table=0x1000, ssid=0, asid=1, ttb=0xA000, asids=(1,)),
        names=Names(streams={1: "S"}, tables={0xB000: "P"}),
    )
    clash = ContextStored(target=LANE, table=0x2000, ssid=1, asid=1, ttb=0xB000, asids=(1,))
    cfgi, sync = (
        ConfigInvalidated(number=0, sid=0, ssid=0, complete=complete, asids=(1,)) for complete in (False, True)
    )
    oracle.observe(ContextStored(target=LANE, table=0x1000, ssid=0, asid=0, ttb=0, asids=(1,)))
    oracle.observe(cfgi)
    message = (
        r"ASID 1 leads to table 0xa000 in CD0\(stream 0\) and to the tables of P in CD1\(S\); "
        r"the SMMU may use both CDs and cannot tell their TLB entries apart"
    )
    with pytest.raises(Violation, match=message):
        oracle.observe(clash)
    oracle.observe(sync)
    oracle.observe(clash)
