"""`stopmarker explain`: the exact constraints of known races in sentences, and what is said if nothing is decided."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from actors.runtime.runs.schedule import Recipe
from tools.explore.strategies.points import Point
from tools.show.reasons import does, must
from tools.show.rows import WIDTH
from tools.terminal.exits import Exit
from tools.traces.replay import replay_recipe
from tools.traces.store import save

from .runs import WORLDS, run, violating
from .test_cli import call, document

MODEL = "tests/models.py::pri_window"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Traces of findings, as `fuzz` leaves them."""
    files = {}
    for name, arguments in {
        "base": [MODEL, "-p", "kind=base"],
        "hard": [MODEL, "-p", "kind=hard"],
        "window": ["unbind-window", "-p", "drain=none"],
        "attach": ["attach-vs-share-asid", "-p", "attach=A1", "-p", "dma=off"],
        "deadlock": [f"{WORLDS}::lock_order"],
        "always": [f"{WORLDS}::ending", "-p", "way=error"],
    }.items():
        code, report = document("fuzz", *arguments, "-o", str(tmp_path_factory.mktemp(name)))
        assert code == (Exit.ERROR if name == "always" else Exit.VIOLATED)
        files[name] = report["findings"][0]["file"]
    return files


@cache
def explanation(file: str) -> tuple[int, dict[str, Any]]:
    """What `explain --json` says of a file, and its exit code; asked once."""
    return document("explain", file)


@pytest.mark.parametrize(
    ("name", "sentences", "failing", "passing"),
    [
        (
            "base",
            [
                "device issues PPR *before* unbind stores bind",
                "unbind stores bind for the 2nd time *before* worker loads bind",
            ],
            5,
            15,
        ),
        (
            "hard",
            [
                "worker loads bind *before* unbind stores bind",
                "unbind stores bind for the 2nd time *before* worker loads bind for the 2nd time",
            ],
            4,
            38,
        ),
        (
            "window",
            [
                "smmu.link queues PPR in the PRIQ *before* process frees PASID 1",
                "binder allocates a PASID *before* fault_worker looks up PASID 1",
            ],
            160,
            1034,
        ),
        (
            "attach",
            [
                'sva_bind stores CD1(S).q0 *before* smmu.cmdq reaches "commands before CMD_SYNC complete" '
                "for the 3rd time",
            ],
            76,
            801,
        ),
        (
            "deadlock",
            [
                "a locks one *before* b locks one (which it waits for, in vain)",
                "b locks two *before* a locks two (which it waits for, in vain)",
            ],
            1,
            2,
        ),
        ("always", [], 3, 0),
    ],
)
def test_the_constraints_of_a_race_are_exactly_these(
    found: dict[str, str], name: str, sentences: list[str], failing: int, passing: int
) -> None:
    """Each constraint comes with a run that breaks it and passes."""
    code, explained = explanation(found[name])
    assert code == Exit.NOTHING_VIOLATED
    assert [one["sentence"] for one in explained["constraints"]] == sentences
    assert (explained["decided"], explained["open"]) == (True, None)
    assert (explained["failing_runs"], explained["passing_runs"]) == (failing, passing)
    tokens = [one["passing_without"] for one in explained["constraints"]]
    for token in [*tokens, *([explained["nearest_passing"]] if passing else [])]:
        assert replay_recipe(Recipe.parse(token)).finding is None


def test_the_race_of_seed_000_is_told_with_lines_events_and_what_comes_with_it(found: dict[str, str]) -> None:
    _, explained = explanation(found["window"])
    queued, bound = explained["constraints"]
    assert queued["first"]["events"] == ["PRIQ #0 = {P1 bind1 g0 L}"]
    assert queued["second"]["events"] == ["unbind: free P1 (bind1)"]
    assert queued["first"]["line"].startswith("iommu_units.py:")
    assert queued["races"] == ["pasid 1 (process writes it)"]
    assert bound["first"]["events"] == ["bind P1 to mm B (bind2)"]
    assert bound["second"]["events"] == ["look up #0: P1 = mm B (bind2)"]
    assert bound["first"]["line"].startswith("pasid.py:")
    assert bound["races"] == ["pasid 1 (binder writes it)"]
    assert explained["exact"]
    assert [along["sentence"] for along in explained["along"]] == [
        'process reaches "tear-down of PASID 1 begins" *before* fault_worker looks up PASID 1',
        "process frees PASID 1 *before* fault_worker looks up PASID 1",
    ]


def test_the_window_of_seed_004_ends_with_the_sync_behind_the_stream_table_entry(found: dict[str, str]) -> None:
    """The interval, not the state at its end: smmuv3 §5.2.

    Of three SYNCs that are complete by then, two can be those of the bind, so one is that behind M's CFGI_STE. A SYNC
    only reads who uses an ASID, so the race is with the store of the CD.
    """
    _, explained = explanation(found["attach"])
    (sync,) = explained["constraints"]
    assert sync["first"]["events"] == ["CD1(S) = {ASID 1, P}"]
    assert sync["second"]["events"] == ["SYNC [CFGI_CD(S, 1)]"]
    assert sync["races"] == ["users of ASID 1 (sva_bind writes it)"]
    assert explained["exact"]


BASE = """\
stopmarker tests/models.py::pri_window (k=2, kind=base)

[*] VIOLATION looked up under the owner it was issued under: request 0
    crossed the unbind (step 8)

It fails in every schedule in which
  1. device issues PPR *before* unbind stores bind
       device: step 0, models.py:LINE
       unbind: step 5, models.py:LINE
       race for word bind (0x1000) (unbind writes it)
       passes where only this differs: unbind stores bind first
  2. and unbind stores bind for the 2nd time *before* worker loads bind
       unbind: step 6, models.py:LINE
       worker: step 8, models.py:LINE: cross = 0
       race for word bind (0x1000) (unbind writes it)
       passes where only this differs: worker loads bind first
Some other schedules fail in this way too, for another reason.

What comes with it in every schedule that fails:
  - device issues PPR *before* unbind stores bind for the 2nd time

To exclude it, see to one of these in every schedule:
  - unbind must store bind before device issues PPR
  - worker must load bind before unbind stores bind for the 2nd time

The nearest schedule that passes:
    fails                                passes
    ------------------------------       ------------------------------
-- first difference: step 0 --------------------------------------------
                                   >   0 unbind: store bind
  0 device: issue PPR                  1 device: issue PPR
  1 smmu: receive from q0              2 smmu: receive from q0
  2 smmu: send Request to hw           3 smmu: send Request to hw
  3 pri_thread: receive from hw        4 pri_thread: receive from hw
  4 pri_thread: send Request to sw     5 pri_thread: send Request to sw
  5 unbind: store bind             <
  6 unbind: store bind                 6 unbind: store bind
  7 worker: receive from sw            7 worker: receive from sw
  8 worker: load bind [cross = 0]  |   8 worker: load bind
      [*]
                                   >     ... and 11 more
"""


def test_an_explanation_reads_as_a_page_of_a_mail(found: dict[str, str]) -> None:
    lines = call("explain", found["base"]).stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("Replay: "))
    told = "\n".join(lines[:start]) + "\n"
    for line in told.split():
        if line.startswith("models.py:"):
            told = told.replace(line.rstrip(":"), "models.py:LINE")
    assert told == BASE
    tried = next(line for line in lines if line.startswith("Tried: "))
    assert tried.startswith("Tried: all 20 inequivalent schedules; 5 fail, 15 pass (")


def test_every_explanation_fits_a_mail(found: dict[str, str]) -> None:
    for name in ("base", "attach", "deadlock", "always"):
        result = call("explain", found[name])
        assert result.exit_code == 0
        assert all(len(line) <= WIDTH and line.isascii() for line in result.stdout.splitlines())


def test_a_race_that_every_schedule_has_is_no_matter_of_order(found: dict[str, str]) -> None:
    assert "Every schedule fails: no order of steps is to blame." in call("explain", found["always"]).stdout


def test_a_run_that_is_not_shrunk_is_shrunk_first(tmp_path: Path) -> None:
    trace = violating("unbinding")
    file = save(trace, tmp_path)
    code, explained = document("explain", str(file))
    assert (code, explained["steps"], len(trace.steps)) == (0, 4, 5)
    assert document("explain", trace.recipe.token())[1]["constraints"] == explained["constraints"]
    assert [one["sentence"] for one in explained["constraints"]] == [
        "driver stores CD[1] *before* smmu.priq loads CD[1]"
    ]


def test_what_a_small_budget_leaves_open_is_said(found: dict[str, str]) -> None:
    result = call("explain", found["window"], "--budget", "0.001s")
    assert result.exit_code == Exit.INCONCLUSIVE
    assert "OPEN: " in result.stdout
    assert "runs were made: others may pass" in " ".join(result.stdout.split())
    assert "those schedules, as far as was tried, in which" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["missing.smt"], "No such file"),
        ([WORLDS], "not a stopmarker trace"),
        (["sm1:AAAA"], "checksum differs"),
        (["a.smt", "b.smt"], "one at a time"),
        ([run("unbinding").recipe.token(), "--trust"], "does not fail, so there is nothing to explain"),
        ([run("ending", way="bound").recipe.token(), "--trust"], "ends at the step bound"),
        ([violating("unbinding").recipe.token(), "--budget", "9"], "such as 60s, 2m or 8h"),
    ],
)
def test_bad_input_gets_a_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    result = call("explain", *arguments)
    assert result.exit_code == Exit.USAGE
    assert message in " ".join(result.stderr.split())


def test_ctrl_c_says_that_nothing_is_decided(found: dict[str, str]) -> None:
    code = (
        "import os, signal\nfrom tools.commands import explain\nwhole = explain.explained\n"
        "def begin(*arguments):\n    os.kill(os.getpid(), signal.SIGINT)\n    return whole(*arguments)\n"
        "explain.explained = begin\nfrom tools.cli import main\nmain()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "explain", found["window"]],
        cwd=ROOT,
        env={**os.environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 128 + signal.SIGINT
    assert done.stdout == ""
    assert done.stderr == "stopmarker: interrupted after 0 experiments; nothing is decided\n"


def point(what: str, occurrence: int = 1) -> Point:
    return Point("a", what, occurrence)


@pytest.mark.parametrize(
    ("what", "sentence", "order"),
    [
        ("free PASID 1", "a frees PASID 1", "a must free PASID 1"),
        ("pass the file on", "a passes the file on", "a must pass the file on"),
        ("queue it", "a queues it", "a must queue it"),
        ("copy it", "a copies it", "a must copy it"),
        ("do it", "a does it", "a must do it"),
        ("access", "a accesses", "a must access"),
        ("read lock mmap_lock", "a read-locks mmap_lock", "a must read-lock mmap_lock"),
        ("irq PRIQ", "a takes interrupt PRIQ", "a must take interrupt PRIQ"),
        ("rmw refs", "a updates refs", "a must update refs"),
        ("queue_work wq", "a calls queue_work wq", "a must call queue_work wq"),
        ("kfree page request", "a calls kfree page request", "a must call kfree page request"),
        ("CMDQ_PROD moves", 'a reaches "CMDQ_PROD moves"', 'a must reach "CMDQ_PROD moves"'),
        ("flush wq: look", 'a reaches "flush wq: look"', 'a must reach "flush wq: look"'),
    ],
)
def test_a_step_becomes_a_sentence(what: str, sentence: str, order: str) -> None:
    assert (does(point(what)), must(point(what))) == (sentence, order)


@pytest.mark.parametrize(("number", "ending"), [(2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (21, "21st")])
def test_a_repeated_step_says_which_time_it_is(number: int, ending: str) -> None:
    assert does(point("load x", number)) == f"a loads x for the {ending} time"


def test_traces_hold_all_that_an_explanation_needs(found: dict[str, str]) -> None:
    explained: dict[str, Any] = explanation(found["hard"])[1]
    steps = [(one["first"]["step"], one["second"]["step"]) for one in explained["constraints"]]
    assert steps == [(6, 7), (14, 15)]
    assert all(one["races"] == ["word bind (0x1000) (unbind writes it)"] for one in explained["constraints"])


LATE = """
from stopmarker import Cpu, World, scenario


@scenario()
def late(world: World) -> None:
    w, d = world.word("w"), {"n": 0}

    @world.actor
    async def a(cpu: Cpu) -> None:
        await cpu.store(w, 1, "w")
        await cpu.access("a goes on")
        if d["n"] == 0:
            await cpu.note("bad")

    @world.actor
    async def b(cpu: Cpu) -> None:
        if not await cpu.load(w, "w"):
            await cpu.access("b goes on")
            d["n"] = 1

    world.always("never", lambda note: "bad" if note.subject == "bad" else None)
"""


def test_what_steps_share_may_show_only_while_it_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failing run has nobody who changes the dictionary; this was an internal error."""
    monkeypatch.chdir(tmp_path)
    Path("late.py").write_text(LATE)
    assert call("fuzz", "late.py", "-o", ".").exit_code == Exit.VIOLATED
    (file,) = tmp_path.glob("*.smt")
    code, explained = document("explain", str(file))
    assert (code, [one["sentence"] for one in explained["constraints"]]) == (0, ["a stores w *before* b loads w"])
    assert (explained["failing_runs"], explained["passing_runs"]) == (4, 1)
