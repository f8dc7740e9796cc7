"""Every change of an STE or CD against a fetching SMMU: all combinations are small enough to be exhausted."""

from __future__ import annotations

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.primitives.session import Session
from actors.runtime.runs.execution import Execution
from drivers.smmuv3.entry_writer import STE, WRITERS, plan_update
from hw.bus import PhysAddr
from hw.events.fetched import EntryFetched
from hw.smmuv3 import cd, ste
from scenarios.entries.entry_transitions import TRANSITIONS
from scenarios.entries.entry_update import entry_update
from scenarios.scenario import Expected
from tests.drivers.test_entry_writer import mixes
from tests.explore.searching import search, worlds
from tests.searching import exhaust, first_found, identity
from tools.explore.dpor.dpor import Dpor

CD_TABLES, ROOTS = (PhysAddr(0x2000), PhysAddr(0x3000)), (PhysAddr(0x4000), PhysAddr(0x9000))
"""Where the scenario's allocator puts the tables of the two states."""


def test_every_oracle_is_killed_and_every_writer_and_change_is_in_the_table() -> None:
    world = entry_update.world(Session(), entry_update.complete({}))
    oracles = {oracle_name(oracle) for oracle in world.oracles}
    assert {expected.oracle for expected in entry_update.expected if expected.oracle} == oracles
    assert {expected.params["writer"] for expected in entry_update.expected} == set(WRITERS)
    assert {expected.params["change"] for expected in entry_update.expected} == set(TRANSITIONS)
    broken = {e.params["writer"] for e in entry_update.expected if e.verdict == "violated"}
    assert broken == set(WRITERS) - {"6.9"}


@pytest.mark.parametrize(("change", "schedules"), [("s1dss", 173), ("table-and-eats", 1062), ("nested", 861)])
def test_a_prefetching_smmu_finds_no_more_than_one_with_traffic(change: str, schedules: int) -> None:
    report = exhaust(entry_update, {"change": change, "prefetches": 1})
    assert (report.schedules, report.failing, report.complete) == (schedules, 0, True)


@pytest.mark.parametrize("expected", entry_update.expected, ids=identity)
def test_a_fetch_finds_exactly_what_the_stores_since_the_last_wait_can_mix(expected: Expected) -> None:
    """Each of the eight words old or new, independently of the others: what the search sees against the definition."""
    change, writer = str(expected.params["change"]), str(expected.params["writer"])
    fetched: list[EntryFetched] = []

    def watch(execution: Execution) -> None:
        fetched.extend(event for *_, event in execution.world.events if isinstance(event, EntryFetched))

    make = worlds(entry_update, change=change, writer=writer, accesses=1)
    assert search(make, Dpor(), watch=watch).complete
    transition = TRANSITIONS[change]
    tables, name, meaning = (
        (CD_TABLES, "STE[0]", ste.meaning) if transition.kind is STE else (ROOTS, "CD[0]", cd.meaning)
    )
    old, new = transition.old(tables), transition.new(tables)
    possible = {meaning(words) for words in mixes(old, plan_update(old, new, transition.kind, writer))}
    assert {event.meaning for event in fetched if event.entry == name} == possible


def test_what_the_smmu_saw_is_said_in_fields() -> None:
    first = first_found(entry_update, {"change": "sva-quiet", "writer": "split"})
    message = first.finding.message
    seen = "`quiet ASID=0x1 ASET=0x1 A=0x1 R=0x1 IPS=0x5 EPD1=0x1 MAIR=0xff`"
    assert message.startswith(f"hardware acts on CD[0] as {seen}; ")
    assert "`quiet ASID=0x1 ASET=0x1 A=0x1 IPS=0x5 EPD1=0x1 MAIR=0xff`" in message
