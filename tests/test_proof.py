"""Proofs by exact numbers: on one core, on two, cut and continued, and what a checkpoint refuses."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import zlib
from math import factorial
from pathlib import Path
from typing import Any

import msgpack
import pytest

from actors.runtime.primitives.events import Finding, Outcome
from tools.experiments.experiment import open_experiment
from tools.experiments.terms import Terms
from tools.explore import search
from tools.explore.dpor import dpor
from tools.explore.dpor.share import Share
from tools.explore.search import FoundSignature, Report
from tools.searches import checkpoint, proof, prover
from tools.searches.checkpoint import MAGIC, MAX_FILE, VERSION, code_digest
from tools.searches.proof import Proof
from tools.terminal.exits import Refusal
from tools.terminal.interrupt import StopRequest

from .tools.runs import WORLDS

ROOT = Path(__file__).parents[1]

MODELS = "tests/models.py"
FOREVER = 600.0


def terms(name: str, *, bound: int | None = None, keep_going: bool = False, **params: int | str) -> Terms:
    known = "::" in name or "-" in name
    experiment = open_experiment(name if known else f"{WORLDS}::{name}", params)
    return Terms(experiment.name, tuple(experiment.params.items()), bound, keep_going)


def proved(made: Proof, jobs: int = 1, turns: int | None = None) -> Report:
    """Run a proof, to its end or for some turns."""
    stop = StopRequest()
    left = turns

    def count(_: Report) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            stop.requested = left <= 0

    made.run(FOREVER, jobs, count, stop)
    return made.report


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_writers_of_one_word_have_n_factorial_schedules(n: int) -> None:
    report = proved(Proof(terms("writers", n=n)))
    assert (report.schedules, report.steps, report.cut) == (factorial(n), n * factorial(n), 0)
    assert report.complete


@pytest.mark.parametrize(("kind", "traces"), [("base", (6, 20, 50)), ("hard", (10, 42, 120))])
@pytest.mark.parametrize("jobs", [1, 2])
def test_the_published_models_on_one_core_and_on_two(kind: str, traces: tuple[int, ...], jobs: int) -> None:
    counts = []
    for k in (1, 2, 3):
        counts.append(proved(Proof(terms(f"{MODELS}::pri_window", kind=kind, k=k, keep_going=True)), jobs).schedules)
    assert tuple(counts) == traces


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("given", "traces"), [({"drain": "marker", "stop": "B"}, 73), ({"drain": "none", "stop": "A"}, 10)]
)
def test_unbind_window_holds_with_the_same_count_on_one_core_and_on_two(
    given: dict[str, Any], traces: int, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(prover, "SHORT_TURN", 0.0)
    report = proved(Proof(terms("unbind-window", **given)), jobs)
    assert (report.schedules, report.failing, report.bounded, report.complete) == (traces, 0, 0, True)
    assert report.witnesses == {"request-queued-while-unbound": True}


def test_a_proof_cut_into_pieces_counts_the_same_as_in_one_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(prover, "SHORT_TURN", 0.0)
    file = tmp_path / "proof"
    made, jobs, pieces = Proof(terms("writers", n=6), path=file), 1, 0
    while not made.share.done:
        proved(made, jobs, turns=5)
        saved = checkpoint.read(file)
        made = Proof(saved.terms, saved.share, saved.report, path=file)
        jobs, pieces = 3 - jobs, pieces + 1  # a proof may go on with another number of workers
    assert pieces > 2
    assert (made.report.schedules, made.report.steps, made.report.failing) == (720, 4_320, 0)


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_estimate_goes_on_from_turn_to_turn(jobs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(prover, "SHORT_TURN", 0.0)
    made = Proof(terms("writers", n=6))
    seen: list[float] = []

    def note(_: Report) -> None:
        assert made.estimate is not None
        seen.append(made.estimate.traces)

    made.run(FOREVER, jobs, note, StopRequest())
    assert len(seen) >= 720 // 256
    assert seen[-1] == pytest.approx(720)


def test_a_violation_ends_the_proof_unless_it_is_to_go_on() -> None:
    first = proved(Proof(terms(f"{MODELS}::pri_window", kind="hard", k=2)))
    whole = proved(Proof(terms(f"{MODELS}::pri_window", kind="hard", k=2, keep_going=True)))
    assert (first.schedules, first.failing, first.complete) == (2, 1, False)
    assert (whole.schedules, whole.failing, whole.complete) == (42, 4, True)


def test_a_run_that_reaches_the_bound_is_no_violation_and_proves_nothing_beyond_it() -> None:
    made = Proof(terms("unbinding", bound=3))
    report = proved(made)
    assert (report.schedules, report.bounded, report.complete, made.violations) == (3, 3, True, [])
    assert made.verdict == "holds up to the bound"
    beyond = Proof(terms("ending", way="bound", keep_going=True))
    assert proved(beyond).bounded == beyond.report.schedules
    assert not beyond.report.complete


@pytest.mark.parametrize("jobs", [1, 2])
def test_within_a_bound_that_was_asked_for_no_reachable_failure_is_missed(
    jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spinner runs up to the bound in the first run, and no race of that run says that others should go first."""
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(prover, "SHORT_TURN", 0.0)
    cut = Proof(terms("spinning"))
    report = proved(cut, jobs)
    assert (report.schedules, report.bounded, cut.verdict) == (1, 1, "not found")
    made = Proof(terms("spinning", bound=8, keep_going=True))
    report = proved(made, jobs)
    assert (report.schedules, report.bounded, report.complete, made.verdict) == (82, 79, True, "violated")
    assert [(item.finding.oracle, item.count) for item in made.violations] == [("no-deadlock", 3)]
    short = Proof(terms("spinning", bound=5))
    report = proved(short, jobs)
    assert (report.schedules, report.bounded, short.verdict) == (43, 43, "holds up to the bound")


def test_a_search_up_to_a_bound_goes_on_from_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(search, "BREATH", 10)
    file = tmp_path / "proof"
    made, pieces = Proof(terms("spinning", bound=8, keep_going=True), path=file), 0
    while not made.share.done:
        proved(made, 1 + pieces % 2, turns=2)
        saved = checkpoint.read(file)
        made = Proof(saved.terms, saved.share, saved.report, path=file)
        pieces += 1
    assert pieces > 2
    assert (made.report.schedules, made.report.bounded, made.report.failing) == (82, 79, 82)


def test_a_run_that_is_violated_and_then_never_ends_is_violated() -> None:
    for bound in (None, 12):
        made = Proof(terms("violated_and_busy", bound=bound, keep_going=True))
        report = proved(made)
        assert (report.schedules, report.bounded, made.verdict) == (1, 1, "violated")
        assert [(item.finding.oracle, item.count) for item in made.violations] == [("never", 1)]


def test_the_races_of_a_long_run_do_not_outlast_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the budget the run is learned from as ever."""
    monkeypatch.setattr(dpor, "_PATIENCE", 1)
    made = Proof(terms("writers", n=4))
    made.run(0.0, 1, lambda _: None, StopRequest())
    assert (made.report.schedules, made.report.halted, made.over, made.verdict) == (0, 4, False, "not found")
    stop = StopRequest()
    stop.requested = True
    made.run(FOREVER, 1, lambda _: None, stop)
    assert (made.report.schedules, made.report.halted, made.interrupted) == (0, 4, True)
    assert proved(made).schedules == 24


def test_a_budget_is_not_overdrawn_by_a_turn() -> None:
    made = Proof(terms("writers", n=9))
    made.run(0.05, 1, lambda _: None, StopRequest())
    assert not made.over
    assert not made.report.exhausted
    assert made.report.schedules < factorial(9)


def test_a_checkpoint_that_cannot_be_written_ends_the_proof_before_it_begins(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    made = Proof(terms("writers"), path=tmp_path / "file" / "below")
    with pytest.raises(Refusal, match=r"write checkpoint .*below: .*file is not a directory"):
        proved(made)
    assert made.report.schedules == 0


def test_a_disk_that_fills_up_does_not_end_the_proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Proof(terms("writers"), path=tmp_path / "proof")

    def full(path: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    def fill(_: Report) -> None:
        monkeypatch.setattr(checkpoint, "write_bytes", full)

    made.run(FOREVER, 1, fill, StopRequest())
    assert made.report.complete
    assert str(made.failure).endswith("No space left on device")


def test_a_checkpoint_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "proof"
    finding = Finding(outcome=Outcome.DEADLOCK, oracle="no-deadlock", message="a waits", step=3, objects=("a", "b"))
    report = Report(7, 2, 1, 50, 0, 1.5, witnesses={"met": True}, found={("x",): FoundSignature(finding, (0, 1), 4, 1)})
    given = terms("writers", n=4, bound=9, keep_going=True)
    checkpoint.write(file, given, Share().pack(), report, code_digest(given.scenario), b"world")
    read = checkpoint.read(file)
    assert (read.terms, read.world) == (given, b"world")
    assert read.report.found == {finding.signature: FoundSignature(finding, (0, 1), 4, 1)}
    assert (read.report.schedules, read.report.steps, read.report.witnesses) == (7, 50, {"met": True})
    assert read.share.pack() == Share().pack()


def test_a_checkpoint_is_held_against_every_file_that_decides_what_a_run_does(monkeypatch: pytest.MonkeyPatch) -> None:
    read, whole = [], Path.read_bytes

    def seen(path: Path) -> bytes:
        read.append(path.relative_to(ROOT).as_posix())
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", seen)
    checkpoint._models_digest.cache_clear()
    code_digest("unbind-window")
    folders = ("hw", "drivers", "actors", "scenarios", "tools/explore")
    there = [sorted((ROOT / folder).rglob("*")) for folder in folders]
    files = [path for found in there for path in found if path.suffix in (".py", ".c", ".h")]
    assert read == [path.relative_to(ROOT).as_posix() for path in files]
    assert {"hw/memory.py", "drivers/cpu.py", "actors/runtime/world.py", "tools/explore/search.py"} <= set(read)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "proof"
    proved(Proof(terms("writers", n=3), path=path))
    return path


def test_every_flipped_bit_and_every_cut_of_a_checkpoint_is_noticed(file: Path) -> None:
    whole = file.read_bytes()
    for place in range(len(whole) * 8):
        damaged = bytearray(whole)
        damaged[place // 8] ^= 1 << place % 8
        file.write_bytes(damaged)
        with pytest.raises(Refusal, match=r"read checkpoint .*: (not a|format version|the checksum)"):
            checkpoint.read(file)
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(Refusal, match=r"read checkpoint .*: (cut after|the checksum)"):
            checkpoint.read(file)


def checkpoint_of(body: object, version: int = VERSION) -> bytes:
    packed: bytes = msgpack.packb(body)
    return MAGIC + struct.pack(">HI", version, zlib.crc32(packed)) + packed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"Dear list,", "not a stopmarker checkpoint"),
        (b"", "cut after 0 bytes"),
        (checkpoint_of([], VERSION + 1), "a newer stopmarker wrote it"),
        (checkpoint_of([], 0), r"format version 0, this stopmarker reads 6$"),
        (checkpoint_of([]), "not enough values"),
        (checkpoint_of(None), "cannot unpack"),
        (
            checkpoint_of(
                [b"", ["x", [], None, False, [], "default"], [[b"\x01"], [], 1.0, False], [[], {}, [], [], False], b""]
            ),
            "read search state",
        ),
        (
            checkpoint_of(
                [
                    b"",
                    ["x", [], None, False, [], "default"],
                    [[], [], 1.0, False],
                    [[0] * 6, {}, [[["?", "", "", 0, []], [], 0, 0]], [], False],
                    b"",
                ]
            ),
            "Out",
        ),
        (
            checkpoint_of(
                [b"", ["x", [], None, False, [], "default"], [[], [], 1.0, False], [[0] * 6, {}, [], [], False], b""]
            ),
            "a model was changed since",
        ),
        (
            checkpoint_of(
                [
                    b"",
                    ["gone.py::x", [], None, False, [], "default"],
                    [[], [], 1.0, False],
                    [[0] * 6, {}, [], [], False],
                    b"",
                ]
            ),
            "its scenario gone.py::x",
        ),
    ],
)
def test_what_is_no_checkpoint_of_this_program_is_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "proof"
    path.write_bytes(data)
    with pytest.raises(Refusal, match=message) as refusal:
        checkpoint.read(path)
    assert "\n" not in str(refusal.value)


def test_a_file_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_FILE >= 1 << 20
    monkeypatch.setattr(checkpoint, "MAX_FILE", 99)
    path = tmp_path / "proof"
    path.write_bytes(checkpoint_of("x" * 200))
    with pytest.raises(Refusal, match="more than 99 bytes"):
        checkpoint.read(path)


def test_a_proof_of_a_file_that_was_changed_is_not_continued(tmp_path: Path) -> None:
    mine, path = tmp_path / "mine.py", tmp_path / "proof"
    mine.write_text(Path(WORLDS).read_text())
    proved(Proof(terms(f"{mine}::writers"), path=path))
    mine.write_text(Path(WORLDS).read_text().replace("cpu.store(word, position)", "cpu.store(word, 0)"))
    with pytest.raises(Refusal, match="a model was changed since"):
        checkpoint.read(path)


LIMITED = """
import json, os, pathlib
from stopmarker import World, scenario

LIMITS = json.loads((pathlib.Path(__file__).parent / "limits.json").read_text())
NAMES = {"a", "b", "c"}

@scenario()
def mine(world: World) -> None:
    '''Three that act; which of them may not be the first stands outside of the text.'''
    order, first = [], int(os.environ.get("STOPMARKER_TEST_FIRST", "9"))
    for number in range(3):
        async def act(cpu, number=number):
            await cpu.access("act", writes=["order"])
            order.append(number)
        world.add_actor(f"actor {number}", act)
    world.eventually("first", lambda: "bad" if order[0] in (first, LIMITS["first"]) else None)
"""


@pytest.mark.parametrize("changed", ["file", "environment", "nothing"])
def test_a_proof_does_not_go_on_with_another_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    mine, limits = tmp_path / "mine.py", tmp_path / "limits.json"
    mine.write_text(LIMITED)
    limits.write_text('{"first": 9}')
    given = terms(f"{mine}::mine")
    file = tmp_path / "proof"
    made = Proof(given, path=file)
    made.run(0.0, 1, lambda _: None, StopRequest())
    if changed == "file":
        limits.write_text('{"first": 2}')
    elif changed == "environment":
        monkeypatch.setenv("STOPMARKER_TEST_FIRST", "2")
    # Another process, as this one has read the file already.
    resumed = subprocess.run(
        [sys.executable, "-m", "stopmarker", "prove", "--resume", str(file), "--trust"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": "7"},
    )
    if changed == "nothing":
        assert resumed.returncode == 0
        assert "HOLDS: all 6 inequivalent schedules" in resumed.stdout
    else:
        assert resumed.returncode == 2
        assert "the scenario builds another world than when that proof began" in resumed.stderr
