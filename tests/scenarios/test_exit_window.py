"""Seed 003: the verdict table, the table of what each event in the window comes to, and what differs without FPD."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from sys import intern
from typing import Any

import pytest

from actors.runtime.primitives.events import oracle_name
from actors.runtime.runs.execution import Execution
from actors.runtime.world import Session
from drivers.events.binding import Answered, ContextWritten, FaultResolved, PasidFreed
from drivers.events.faults import BondEnded, ReleaseBegun
from hw.events.link import AtcInvalidated, DmaIssued, DmaLanded, PageRequestQueued, PageRequestRefused, Translated
from hw.pcie.events import DeviceError, DeviceErrorSeen, UntranslatedSent
from hw.pcie.tlp import ResponseCode
from hw.vtd.events import AccessAborted, DmaRead, FaultRecorded
from scenarios.parameters import BadValue
from scenarios.process_end.exit_window import exit_window
from tests.explore.searching import search, worlds
from tests.searching import exhaust, first_found, oracles_of
from tools.explore.dpor.dpor import Dpor


def test_every_oracle_is_killed_by_some_combination() -> None:
    oracles = {oracle_name(oracle) for oracle in exit_window.world(Session(), exit_window.complete({})).oracles}
    killed = {expected.oracle for expected in exit_window.expected if expected.verdict == "violated"}
    assert killed == (oracles - {"every-last-is-answered-once"}) | {"BrokenRule"}


@pytest.mark.parametrize("name", [name for name, param in exit_window.params.items() if isinstance(param.default, str)])
def test_every_value_is_in_the_table(name: str) -> None:
    default = exit_window.params[name].default
    assert {expected.params.get(name, default) for expected in exit_window.expected} >= set(
        exit_window.params[name].allowed
    )


# The table of vtd-pcie §3.8: what each event of the window comes to, over all schedules of a small world. Without FPD
# the log is not looked at (watch=after), so that no run ends early.

SEEN = (
    AccessAborted,
    Answered,
    AtcInvalidated,
    BondEnded,
    ContextWritten,
    DeviceErrorSeen,
    DmaIssued,
    DmaLanded,
    DmaRead,
    FaultRecorded,
    FaultResolved,
    PageRequestQueued,
    PageRequestRefused,
    PasidFreed,
    ReleaseBegun,
    Translated,
    UntranslatedSent,
)
Run = tuple[Any, ...]


def story(execution: Execution) -> Run:
    """What happened in a run: each step as text, who and what, before its events."""
    events: dict[int, list[object]] = {}
    for index, _, event in execution.world.events:
        if isinstance(event, SEEN):
            events.setdefault(index, []).append(event)
    told: list[object] = []
    for index, (actor, step) in enumerate(zip(execution.actors, execution.steps, strict=True)):
        told += (intern(f"{execution.world.actors[actor].name}: {step.what}"), *events.get(index, ()))
    return tuple(told)


@cache
def diaries(fpd: str, traffic: str, **more: Any) -> tuple[Run, ...]:
    """What happened, for every schedule; only a device that keeps what comes late breaks anything."""
    found: list[Run] = []
    params = {"fpd": fpd, "traffic": traffic, "watch": "after", **more}
    report = search(worlds(exit_window, **params), Dpor(), watch=lambda execution: found.append(story(execution)))
    assert report.complete
    assert bool(report.found) == ("late" in more)
    return tuple(found)


def window(run: Run) -> Iterator[Any]:
    """What happened between the end of translation and unbind."""
    within = False
    for event in run:
        if isinstance(event, ContextWritten):
            within = not event.valid
        elif isinstance(event, BondEnded):
            return
        elif within:
            yield event


def all_of(kind: type, given: tuple[Run, ...], part: Callable[[Run], Any] = window) -> set[Any]:
    """Every event of a kind that some schedule has in some part of it."""
    return {event for run in given for event in part(run) if isinstance(event, kind)}


BOTH = pytest.mark.parametrize("fpd", ["5.8", "5.7"])
"""Two eras that differ in FPD alone."""


@pytest.mark.parametrize("traffic", ["write", "read"])
@BOTH
def test_an_untranslated_access_is_refused_or_uses_what_is_still_cached(fpd: str, traffic: str) -> None:
    given = diaries(fpd, traffic)
    silent = fpd == "5.8"
    refusals = {(each.write, each.reason, each.silent, each.logged) for each in all_of(AccessAborted, given)}
    assert refusals == {(traffic == "write", "PASID_ENTRY_P", silent, not silent)}
    assert {each.owner for each in all_of(DmaRead if traffic == "read" else DmaLanded, given)} == {"mm A"}
    assert {each.reason for each in all_of(FaultRecorded, given)} == (set() if silent else {"PASID_ENTRY_P"})


@BOTH
def test_the_device_sees_ur_for_a_read_that_is_refused_and_for_no_other(fpd: str) -> None:
    ends = Counter(
        tuple(
            event.error if isinstance(event, DeviceErrorSeen) else type(event)
            for event in run
            if isinstance(event, AccessAborted | DmaRead | DeviceErrorSeen)
        )
        for run in diaries(fpd, "read")
    )
    assert ends == {(AccessAborted, DeviceError.READ_REFUSED): 7, (DmaRead,): 6, (): 1}


@BOTH
def test_more_refusals_than_registers_set_pfo(fpd: str) -> None:
    recorded = all_of(FaultRecorded, diaries(fpd, "write", accesses=2, records=1))
    assert {each.index for each in recorded} == (set() if fpd == "5.8" else {0, -1})


@BOTH
def test_a_translation_request_finds_a_hole_or_what_is_still_cached(fpd: str) -> None:
    given = diaries(fpd, "ats")
    assert {each.status for each in all_of(Translated, given)} == {0}
    assert {bool(each.page) for each in all_of(Translated, given)} == {False, True}
    assert not all_of(FaultRecorded, given)


@BOTH
def test_a_page_request_is_refused_as_invalid_or_queued_through_the_cached_entry(fpd: str) -> None:
    given = diaries(fpd, "page-request")
    assert {(each.code, each.why) for each in all_of(PageRequestRefused, given)} == {
        (ResponseCode.INVALID, "PASID_ENTRY_P")
    }
    queued = [sum(isinstance(event, PageRequestQueued) for event in run) for run in given]
    refused = [sum(isinstance(event, PageRequestRefused) for event in run) for run in given]
    assert set(zip(queued, refused, strict=True)) == {(0, 1), (1, 0), (0, 0)}
    assert not all_of(FaultRecorded, given)


MMGET = "fault_worker: mmget mm A"
MMPUT = "fault_worker: mmput mm A"
"""Of the only fault that there is; what mmget refused, nobody puts."""


@BOTH
def test_a_page_request_that_was_queued_before_is_answered_invalid_when_its_mm_is_dead(fpd: str) -> None:
    answers: Counter[tuple[bool, bool, int]] = Counter()
    for run in diaries(fpd, "page-request"):
        ended = next(place for place, event in enumerate(run) if isinstance(event, ContextWritten))
        if any(isinstance(event, PageRequestQueued) for event in run[:ended]):
            dead = run.index("process: mmput mm A") < run.index(MMGET)
            (code,) = (event.code for event in run if isinstance(event, Answered))
            answers[dead, MMPUT in run, code] += 1
    assert answers == {(False, True, ResponseCode.SUCCESS): 884, (True, False, ResponseCode.INVALID): 176}


@BOTH
def test_a_fault_that_is_being_handled_pins_the_mm_so_that_only_its_worker_can_release_it(fpd: str) -> None:
    during: Counter[tuple[str, bool]] = Counter()
    for run in diaries(fpd, "page-request"):
        (begun,) = (place for place, event in enumerate(run) if isinstance(event, ReleaseBegun))
        pinned = MMPUT in run and run.index(MMGET) < begun < run.index(MMPUT)
        if run_by(run) == "fault_worker":
            assert any(isinstance(event, Answered) for event in run[begun:])
        during[run_by(run), pinned] += 1
    assert during == {("process", False): 366, ("fault_worker", False): 708}


def run_by(run: Run) -> str:
    """Who ran the release callback."""
    return next(str(event.by) for event in run if isinstance(event, ReleaseBegun))


@BOTH
def test_a_translated_write_lands_in_a_page_that_is_still_allocated(fpd: str) -> None:
    landed = all_of(DmaLanded, diaries(fpd, "ats"))
    assert {(each.owner, each.tag) for each in landed} == {("mm A", -1)}


@BOTH
def test_a_translated_write_behind_the_answer_to_its_invalidation_is_found_and_blamed_on_the_device(fpd: str) -> None:
    report = exhaust(exit_window, {"fpd": fpd, "traffic": "ats", "late": "cache", "watch": "after"})
    assert oracles_of(report) == {"no-write-behind-its-invalidation"}
    assert (report.schedules, report.failing, report.complete) == (105, 12, True)


@pytest.mark.parametrize(("late", "stale"), [("drop", 6), ("cache", 0)])
@BOTH
def test_a_completion_that_an_invalidation_overtook_is_dropped_by_the_device(fpd: str, late: str, stale: int) -> None:
    def dropped(run: Run) -> bool:
        # A page would be written to next, and for a hole there would be a page request.
        steps = (step for step in run if isinstance(step, str) and step.startswith("device: "))
        return ("device: ATC fill", "device: begin translation request") in pairwise(steps)

    given = diaries(fpd, "ats", late="cache") if late == "cache" else diaries(fpd, "ats")
    assert sum(map(dropped, given)) == stale


@BOTH
def test_the_pasid_is_nobody_elses_before_unbind_is_over(fpd: str) -> None:
    for run in diaries(fpd, "write"):
        kinds = [type(event) for event in run if isinstance(event, BondEnded | PasidFreed)]
        assert kinds == [BondEnded, PasidFreed]


@pytest.mark.parametrize("traffic", ["write", "read", "ats", "page-request"])
def test_without_fpd_only_the_fault_log_differs(traffic: str) -> None:
    def outcome(run: Run) -> tuple[str, ...]:
        kept = (event for event in run if not isinstance(event, FaultRecorded | str))
        return tuple(sorted(repr(unlogged(event)) for event in kept))

    assert {outcome(run) for run in diaries("5.8", traffic)} == {outcome(run) for run in diaries("5.7", traffic)}


def unlogged(event: object) -> object:
    """A refusal without what became of its record."""
    return replace(event, silent=False, logged=False) if isinstance(event, AccessAborted) else event


def test_after_unbind_an_access_is_refused_and_recorded() -> None:
    def late(run: Run) -> Iterator[Any]:
        over = next(place for place, event in enumerate(run) if isinstance(event, BondEnded))
        tags = {event.tag for event in run[over:] if isinstance(event, UntranslatedSent)}
        return (event for event in run if isinstance(event, AccessAborted) and event.tag in tags)

    for fpd in ("5.8", "6.14", "right"):
        assert {(each.silent, each.logged) for each in all_of(AccessAborted, diaries(fpd, "write", rogue=1), late)} == {
            (False, True)
        }


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"pri": "off", "traffic": "page-request"},
            "parameter pri='off': there are no page requests without PRI; with traffic='page-request' allowed is on",
        ),
        (
            {"rogue": 1, "traffic": "page-request"},
            "parameter rogue=1: a device that only asks for pages has no access; with traffic='page-request' "
            "allowed is 0",
        ),
        (
            {"late": "cache"},
            "parameter late='cache': what a device with ATS does; with traffic='write' allowed is drop",
        ),
    ],
)
def test_parameters_that_would_do_nothing_together_are_refused_in_one_line(
    given: dict[str, str | int], text: str
) -> None:
    with pytest.raises(BadValue, match=f"^{re.escape(text)}$"):
        exit_window.world(Session(), exit_window.complete(given))


def test_a_finding_says_that_fpd_is_left_in_the_cache_alone() -> None:
    first = first_found(exit_window, {"fpd": "6.14", "rogue": 1, "caching": "on"})
    assert first.finding.message == (
        "access 1 of P1, sent after unbind, is refused and leaves no trace: FPD is still set in the PASID cache"
    )
