"""`stopmarker prove` in one process: verdicts, exit codes, bounds, documents, and what is said about bad input."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tools.terminal.exits import Exit

from .runs import WORLDS
from .test_cli import call, document

UNBINDING = f"{WORLDS}::unbinding"


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("arguments", "code", "verdict", "traces"),
    [
        ([UNBINDING, "-p", "drain=full"], Exit.NOTHING_VIOLATED, "holds", 1),
        ([UNBINDING, "--keep-going"], Exit.VIOLATED, "violated", 2),
        ([f"{WORLDS}::vacuous"], Exit.INCONCLUSIVE, "vacuous", 1),
        ([f"{WORLDS}::vacuous", "-p", "reachable=1"], Exit.NOTHING_VIOLATED, "holds", 1),
        ([f"{WORLDS}::ending", "-p", "way=bound", "--keep-going"], Exit.INCONCLUSIVE, "not found", 1),
        ([f"{WORLDS}::ending", "-p", "way=deadlock"], Exit.VIOLATED, "violated", 1),
        ([f"{WORLDS}::ending", "-p", "way=stillborn"], Exit.ERROR, "error", 1),
        ([f"{WORLDS}::writers"], Exit.NOTHING_VIOLATED, "holds", 6),
        ([f"{WORLDS}::writers", "-j", "2"], Exit.NOTHING_VIOLATED, "holds", 6),
    ],
)
def test_each_verdict_has_its_exit_code(
    arguments: list[str], code: int, verdict: str, traces: int, tmp_path: Path
) -> None:
    exit_code, proof = document("prove", *arguments, "-o", str(tmp_path))
    assert (exit_code, proof["verdict"], proof["traces"]) == (code, verdict, traces)
    assert proof["format"] == "stopmarker-proof"
    assert len(proof["findings"]) == len(list(tmp_path.iterdir())) == (verdict in ("violated", "error"))


@pytest.mark.parametrize(("drain", "stop", "traces"), [("full", "B", 415), ("none", "A", 10)])
def test_unbind_window_holds_and_says_within_which_bounds(drain: str, stop: str, traces: int) -> None:
    result = call("prove", "unbind-window", "-p", f"drain={drain}", "-p", f"stop={stop}")
    assert result.exit_code == Exit.NOTHING_VIOLATED
    text = words(result.stdout)
    assert f"HOLDS: all {traces} inequivalent schedules, " in text
    assert "Reached: request-queued-while-unbound." in text
    assert f"Bounds: unbind-window (drain={drain}, stop={stop}, flags=right, " in text
    assert text.endswith("at most 2,000 steps a run, sequentially consistent memory, time-outs at any moment.")
    assert all(len(line) <= 72 for line in result.stdout.splitlines())


def test_one_schedule_is_not_all_of_them_and_progress_is_not_told_twice() -> None:
    result = call("prove", f"{WORLDS}::writers", "-p", "n=1")
    assert result.stdout.startswith("HOLDS: the only inequivalent schedule, 1 step, ")
    assert [line.partition(" (")[0] for line in result.stderr.splitlines()] == ["schedules 1"]


def test_unbind_window_is_violated_and_the_counterexample_replays(tmp_path: Path) -> None:
    result = call("prove", "unbind-window", "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED
    assert "[*] VIOLATION no-cross-binding-fault" in result.stdout
    (file,) = tmp_path.iterdir()
    assert call("replay", str(file)).exit_code == Exit.VIOLATED


def test_a_bound_that_was_asked_for_is_what_a_proof_holds_up_to() -> None:
    result = call("prove", UNBINDING, "--bound", "3")
    assert result.exit_code == Exit.NOTHING_VIOLATED
    text = words(result.stdout)
    assert text.startswith("HOLDS UP TO 3 STEPS: all 3 inequivalent schedules, 9 steps, ")
    assert "of which the bound cuts 3. Every run of at most so many steps was seen; nothing is said of what" in text
    assert "at most 3 steps a run, sequentially consistent memory, time-outs at any moment." in text
    proof = document("prove", UNBINDING, "--bound", "3")[1]
    assert (proof["verdict"], proof["at_step_bound"], proof["why"]) == ("holds up to the bound", 3, None)


def test_a_bound_of_the_scenario_that_is_reached_is_named_and_what_was_cut_is_said(tmp_path: Path) -> None:
    scenario = f"{WORLDS}::ending"
    arguments = (scenario, "-p", "way=bound", "--keep-going", "-o", str(tmp_path))
    result = call("prove", *arguments)
    assert result.exit_code == Exit.INCONCLUSIVE
    text = words(result.stdout)
    assert text.startswith("NOT FOUND, and not proved: 1 run reached the step bound after 1 inequivalent schedule, ")
    told = (
        "Orders in which others go before those that were still busy were not all tried: `stopmarker prove "
        f"{scenario} -p way=bound --bound N` decides what every run of at most N steps comes to."
    )
    assert told in text
    assert document("prove", *arguments)[1]["why"].endswith(told)


def test_a_violation_before_the_bound_is_found_behind_runs_that_reach_it(tmp_path: Path) -> None:
    """The first run needs six steps: it reaches the bound of five, and the search must go on."""
    code, proof = document("prove", UNBINDING, "--bound", "5", "-o", str(tmp_path))
    assert (code, proof["violations"]) == (1, 1)
    assert proof["findings"][0]["finding"]["oracle"] == "no-cross"


def test_a_budget_that_ends_proves_nothing_and_says_how_to_go_on(tmp_path: Path) -> None:
    file = tmp_path / "new" / "proof"
    arguments = ("prove", f"{WORLDS}::writers", "-p", "n=7", "--budget", "0.01s")
    result = call(*arguments, "--checkpoint", str(file))
    assert result.exit_code == Exit.INCONCLUSIVE
    assert words(result.stdout).startswith("NOT FOUND, and not proved: the budget ended after ")
    assert "Perhaps " in result.stdout
    assert result.stdout.splitlines()[-1] == f"Continue: stopmarker prove --resume {file}"
    code, proof = document("prove", "--resume", str(file))
    assert (code, proof["verdict"], proof["traces"], proof["checkpoint"]) == (0, "holds", 5_040, str(file))
    code, again = document("prove", "--resume", str(file))
    assert (code, again["traces"]) == (0, 5_040)


def test_a_violated_proof_stays_violated_when_it_is_resumed(tmp_path: Path) -> None:
    file, out = str(tmp_path / "proof"), str(tmp_path / "found")
    first = document("prove", UNBINDING, "--checkpoint", file, "-o", out)
    again = document("prove", "--resume", file, "-o", out)
    assert (first[0], first[1]["findings"]) == (again[0], again[1]["findings"]) == (1, first[1]["findings"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["prove"], "which scenario?"),
        (["prove", "unbind-windo"], "did you mean 'unbind-window'?"),
        (["prove", UNBINDING, "-p", "drain=ful"], "did you mean 'full'?"),
        (["prove", UNBINDING, "--bound", "0"], "is not in the range x>=1"),
        (["prove", UNBINDING, "-j", "0"], "is not in the range 1<=x<=256"),
        (["prove", UNBINDING, "--budget", "3"], "such as 60s, 2m or 8h"),
        (["prove", UNBINDING, "-o", f"{WORLDS}/x"], "is not a directory"),
        (["prove", UNBINDING, "--checkpoint", WORLDS], "it exists already"),
        (["prove", UNBINDING, "--checkpoint", f"{WORLDS}/x"], "worlds.py is not a directory"),
        (["prove", "--resume", WORLDS], "not a stopmarker checkpoint"),
        (["prove", "--resume", "missing"], "read checkpoint missing: No such file"),
        (["prove", "--resume", "."], "Is a directory"),
        (["prove", "--resume", "x", UNBINDING], "the checkpoint says what is proved"),
        (["prove", "--resume", "x", "--bound", "3"], "the checkpoint says what is proved"),
    ],
)
def test_bad_input_gets_a_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    result = call(*arguments)
    assert result.exit_code == Exit.USAGE
    assert message in words(result.stderr)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_world_that_cannot_be_built_is_refused_at_once(tmp_path: Path, jobs: str) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text("from stopmarker import *\n@scenario()\ndef x(world: World) -> None:\n    world.nothing\n")
    result = call("prove", str(mine), "-j", jobs)
    assert result.exit_code == Exit.ERROR
    assert "AttributeError" in result.stderr


def test_a_finding_whose_file_cannot_be_written_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = call("prove", UNBINDING, "-o", str(tmp_path))
    assert result.exit_code == Exit.USAGE
    assert "VIOLATED: 1 of " in result.stdout
    assert "No space left on device" in result.stderr


@pytest.mark.parametrize(
    ("number", "complaint"),
    [(2, "two runs of one schedule differ"), (7, "made again in the same order, the run is another one")],
)
def test_a_scenario_that_is_not_deterministic_is_told_apart(
    number: int, complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runs that are compared first tell it if it shows there; else those do that the search makes again."""
    monkeypatch.setattr(json, "runs", 0, raising=False)
    mine = tmp_path / "mine.py"
    mine.write_text(FORGETFUL.replace("NUMBER", str(number)))
    result = call("prove", str(mine), "-o", str(tmp_path))
    assert result.exit_code == Exit.DIVERGED
    assert complaint in result.stderr


FORGETFUL = """
import json
from stopmarker import Cpu, World, scenario

@scenario()
def forgetful(world: World) -> None:
    '''Fails only in one of the worlds that are built.'''
    number = json.runs = json.runs + 1

    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("done")

    world.always("another world", lambda note: "it is that one" if number == NUMBER else None)
"""


def test_every_distinct_violation_is_kept(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(TWO_BUGS)
    code, proof = document("prove", str(mine), "--keep-going", "-o", str(tmp_path / "found"))
    found: list[dict[str, Any]] = proof["findings"]
    assert (code, proof["violations"]) == (1, 2)
    assert sorted(one["finding"]["oracle"] for one in found) == ["a is first", "b is first"]
    assert len(list((tmp_path / "found").iterdir())) == 2


TWO_BUGS = """
from stopmarker import Cpu, World, scenario

@scenario()
def two_bugs(world: World) -> None:
    '''Each order of two writers breaks one of two properties.'''
    word = world.word("word")

    @world.actor
    async def a(cpu: Cpu) -> None:
        await cpu.store(word, 1)

    @world.actor
    async def b(cpu: Cpu) -> None:
        await cpu.store(word, 2)

    world.eventually("a is first", lambda: "b was" if world.memory.read(word) == 1 else None)
    world.eventually("b is first", lambda: "a was" if world.memory.read(word) == 2 else None)
"""
