"""The drawings, character by character; and what holds for any drawing: ASCII, 72 columns, a replay command."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.runtime.primitives.events import Finding, Outcome
from actors.runtime.runs.schedule import Recipe
from tools.show.beside import TITLE, beside, first_difference
from tools.show.columns import columns
from tools.show.ladder import ladder
from tools.show.listing import listing
from tools.show.rows import WIDTH, preemptions, replay_lines
from tools.show.waits import waits
from tools.traces.store import save
from tools.traces.trace import Trace, TraceEvent, TraceStep, fingerprint

from .runs import run, violating
from .test_cli import call

UNBINDING = """\
stopmarker tests/tools/worlds.py::unbinding (drain=none)
0 preemptions                                         5 of 5 steps shown

       device                   smmu                   driver
          |                       |                       |
  0       |                       |<-----CD[1] = mm B-----|
  1     free PASID 1 (gen1 -> gen2), a label too long for *
          |                       |           either side |
  2       |------PPR P1 g7------->|                       |
  3       |                       * PRIQ[0]={P1 gen1 g7}  |
  4       |                       * lookup P1 = mm B      |          [*]

[*] VIOLATION no-cross: request of mm A resolved against mm B (step 4)
"""
UNBINDING_COLUMNS = """\
stopmarker tests/tools/worlds.py::unbinding (drain=none)
0 preemptions                                         5 of 5 steps shown

     CPU0                               HW
     driver                             device, smmu
     ---------------------------------  --------------------------------
  0  CD[1] = mm B -> smmu
  1  free PASID 1 (gen1 -> gen2), a label too long for either side
  2                                     device: PPR P1 g7 -> smmu
  3                                     smmu: PRIQ[0]={P1 gen1 g7}
  4                                     smmu: lookup P1 = mm B [*]

[*] VIOLATION no-cross: request of mm A resolved against mm B (step 4)
"""
BESIDE = """\
    violated                             quiet
    ------------------------------       ------------------------------
-- first difference: step 0 --------------------------------------------
  0 driver: CD[1] = mm B ->        <
      smmu.cmdq
  1 driver: free PASID 1 (gen1 ->  <
      gen2), a label too long for
      either side
  2 device: PPR P1 g7 -> smmu          0 device: PPR P1 g7 -> smmu
  3 smmu: PRIQ[0]={P1 gen1 g7}         1 smmu: PRIQ[0]={P1 gen1 g7}
  4 smmu: lookup P1 = mm B [*]     |   2 smmu: lookup P1 = mm A
                                   >   4 driver: CD[1] = mm B ->
                                           smmu.cmdq
                                   >   5 driver: free PASID 1 (gen1 ->
                                           gen2), a label too long for
                                           either side
"""
DEADLOCK = """\
stopmarker tests/tools/worlds.py::lock_order          2 of 2 steps shown
1 preemption

          a                       b
          |                       |
  0       * lock one              |
  1       |                       * lock two                 <== preempt

[*] DEADLOCK no-deadlock (step 2):
    a waits since step 1 for lock two, held by b since step 1
    b waits since step 2 for lock one, held by a since step 0
    Circle: a -> b -> a.
"""
UNBINDING_LIST = """\
stopmarker tests/tools/worlds.py::unbinding (drain=none)
0 preemptions                                         5 of 5 steps shown

   0  driver     store CD[1]   [CD[1] = mm B -> smmu.cmdq]
   1  driver     free   [free PASID 1 (gen1 -> gen2), a label too long for either side]
   2  device     send Told to link   [PPR P1 g7 -> smmu]
   3  smmu.priq  receive from link   [PRIQ[0]={P1 gen1 g7}]
   4  smmu.priq  load CD[1]   [lookup P1 = mm B]  [*]

[*] VIOLATION no-cross: request of mm A resolved against mm B (step 4)
"""
CROWD = """\
stopmarker tests/tools/worlds.py::crowd (lanes=7)     7 of 7 steps shown
0 preemptions

  worker_0     worker_1     worker_2     worker_3      others
      |            |            |            |            |
  0   |-------------hello from 0------------>|            |
  1   |            |            |  worker_6: hello from 6 *
  2   |            |            |  worker_4: hello from 4 *
  3   |            |            * hello from 2            |
  4   |            |            |            * hello from 3
  5   |            * hello from 1            |            |
  6   |            |            |  worker_5: hello from 5 *

Lane others: worker_4, worker_5, worker_6.

No violation in this run.
"""
BOUND = """\
stopmarker tests/tools/worlds.py::ending (way=bound)
1 preemption                                         2 of 12 steps shown

        first                  second
          |                       |
  0       * begun = 0             |
  1       |                       * also begun = 0           <== preempt

[*] STEP BOUND step-bound: still busy after 12 steps: raise the
    scenario's bound, or look for a livelock among first (step 12)
"""


def without_replay(lines: list[str]) -> str:
    start = next(number for number, line in enumerate(lines) if line.startswith("Replay: "))
    return "\n".join(lines[:start]) + "\n"


def test_the_ladder_of_a_violation() -> None:
    assert without_replay(ladder(violating("unbinding"))) == UNBINDING


def test_the_columns_of_a_violation() -> None:
    assert without_replay(columns(violating("unbinding"))) == UNBINDING_COLUMNS


def test_the_list_of_a_violation() -> None:
    assert without_replay(listing(violating("unbinding"))) == UNBINDING_LIST


def test_two_runs_beside_each_other() -> None:
    assert "\n".join(beside(violating("unbinding"), run("unbinding"), ("violated", "quiet"))) + "\n" == BESIDE


def test_a_run_beside_itself_has_no_difference() -> None:
    trace = violating("unbinding")
    assert first_difference(trace, trace) is None
    assert beside(trace, trace, ("one", "other"))[-1] == "No step differs."


def test_a_file_name_that_is_cut_says_so(tmp_path: Path) -> None:
    path = save(violating("unbinding"), tmp_path / ("a-long-name" * 4))
    result = call("show", str(path), "--diff", str(path))
    (titles,) = [line for line in result.stdout.splitlines() if "…" in line]
    assert titles.split() == [f"…{str(path)[1 - TITLE :]}"] * 2


def test_a_run_that_ends_earlier_differs_where_it_ends() -> None:
    trace = violating("unbinding")
    shorter = dataclasses.replace(trace, steps=trace.steps[:3], events=trace.events[:3])
    assert first_difference(trace, shorter) == 3
    assert beside(trace, shorter, ("", ""))[-3:] == [
        "-- first difference: step 3 --------------------------------------------",
        "  3 smmu: PRIQ[0]={P1 gen1 g7}     <",
        "  4 smmu: lookup P1 = mm B [*]     <",
    ]


def test_a_deadlock_says_who_waits_for_whom() -> None:
    made = next(trace for seed in range(9) if (trace := run("lock_order", seed)).outcome == "deadlock")
    assert without_replay(ladder(made)) == DEADLOCK


@pytest.mark.parametrize(
    ("message", "circle"),
    [
        ("a waits since step 1 for a message from x", []),
        ("a waits since step 1 for lock x, held by a since step 0", ["Circle: a -> a."]),
        ("a waits since step 1 for lock x, held by b since step 0; b waits since step 2 for irq y", []),
        (
            "a waits since step 1 for lock x, held by b since step 0; "
            "b waits since step 1 for rwlock y, held by d, c since step 0; "
            "c waits since step 1 for lock z, held by b since step 0",
            ["Circle: b -> c -> b."],
        ),
    ],
)
def test_a_circle_of_waits_is_named_if_there_is_one(message: str, circle: list[str]) -> None:
    finding = Finding(outcome=Outcome.DEADLOCK, oracle="no-deadlock", message=message, step=3)
    assert waits(finding) == [*message.split("; "), *circle]
    assert waits(dataclasses.replace(finding, outcome=Outcome.BOUND)) == []


def test_lanes_beyond_five_are_folded_and_named() -> None:
    assert without_replay(ladder(run("crowd", 1))) == CROWD


def test_a_preemption_is_marked_where_the_order_was_left() -> None:
    assert without_replay(ladder(run("ending", 1, way="bound"))) == BOUND


def test_all_steps_are_shown_on_request_only() -> None:
    trace = run("ending", 1)
    assert ["early retry" in "\n".join(listing(trace, every)) for every in (False, True)] == [False, True]
    assert "early retry = 2 of 3" in "\n".join(listing(trace, every=True))
    assert "* early retry" in "\n".join(ladder(trace, every=True))


def test_a_run_without_events_shows_its_steps() -> None:
    trace = dataclasses.replace(run("ending", 1), events=())
    assert "4 of 4 steps shown" in ladder(trace)[0] + ladder(trace)[1]


def test_every_printed_command_is_taken_back_by_a_shell() -> None:
    token = violating("unbinding").recipe.token()
    joined = " ".join(line.removesuffix("\\").strip() for line in replay_lines(token))
    assert joined.startswith("Replay: stopmarker replay sm1:")
    assert Recipe.parse("".join(joined.split()[3:])).token() == token


NAMES = ("device", "smmu.priq", "pri_thread", "mmu_notifier", "process_exit", "fault_worker", "x", "smmu.cmdq")
texts = st.text(max_size=90) | st.sampled_from(["", "PPR P1 g7", "word " * 30, "x" * 200, "\x1b[31mred\nline"])


@st.composite
def traces(draw: st.DrawFn) -> Trace:
    names = draw(st.lists(st.sampled_from(NAMES) | texts, min_size=1, max_size=8))
    actors = st.integers(0, len(names) - 1)
    steps = []
    for _ in range(draw(st.integers(1, 12))):
        actor = draw(actors)
        offered = tuple(sorted({actor, *draw(st.lists(actors, max_size=3))}))
        mark = fingerprint(offered, actor, 0, 0)
        steps.append(TraceStep(actor=actor, what=draw(texts), offered=offered, options=0, outcome=0, fingerprint=mark))
    targets = st.none() | st.sampled_from(NAMES) | texts
    events = [
        TraceEvent(step=step, actor=steps[step].actor, kind="Told", label=draw(texts), target=draw(targets), fields=())
        for step in sorted(draw(st.lists(st.integers(0, len(steps) - 1), max_size=12)))
    ]
    base = violating("unbinding")
    hardware = draw(st.sampled_from([(), (0,), tuple(range(len(names)))]))
    return dataclasses.replace(base, actors=tuple(names), hardware=hardware, steps=tuple(steps), events=tuple(events))


@given(traces(), st.booleans())
def test_any_trace_is_drawn_in_72_columns_of_ascii(trace: Trace, every: bool) -> None:
    for lines in (ladder(trace, every), columns(trace, every)):
        for line in lines:
            assert len(line) <= WIDTH
            assert re.fullmatch(r"[ -~]*", line)
    assert all(re.fullmatch(r"[ -~]*", line) for line in listing(trace, every))


@given(traces(), traces(), st.booleans())
def test_any_two_traces_are_drawn_beside_each_other(left: Trace, right: Trace, every: bool) -> None:
    lines = beside(left, right, ("one", "other"), every=every)
    assert all(len(line) <= WIDTH and re.fullmatch(r"[ -~]*", line) for line in lines)
    place = first_difference(left, right)
    assert [line for line in lines if line.startswith(f"-- first difference: step {place} --")] or place is None
    if every:
        for side in (left, right):
            assert all(f"{number:>3} " in "\n".join(lines) for number in range(len(side.steps)))


@given(traces())
def test_every_label_is_in_the_list(trace: Trace) -> None:
    text = "\n".join(listing(trace, every=True))
    assert text.count(" <== preempt") == len(preemptions(trace))
