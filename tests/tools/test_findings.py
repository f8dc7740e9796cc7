"""Findings that come from the machinery itself: an oracle with a bug, an actor that fails before its first step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actors.runtime.schedule import Fifo
from tools.container import decode, encode
from tools.exits import Exit

from .runs import WORLDS, experiment, run
from .test_cli import document


def test_an_oracle_that_fails_at_the_end_is_an_error_of_that_oracle(tmp_path: Path) -> None:
    trace = run("broken_oracle")
    assert trace.finding is not None
    assert (trace.outcome, trace.finding.signature) == ("error", ("KeyError", "forgotten"))
    assert trace.finding.message == f"oracle forgotten raised KeyError: 'P1' ({trace.finding.where})"
    assert trace.finding.step == 0


@pytest.mark.parametrize("command", ["fuzz", "prove"])
def test_a_search_shows_a_broken_oracle_as_a_finding(tmp_path: Path, command: str) -> None:
    code, report = document(command, f"{WORLDS}::broken_oracle", "-o", str(tmp_path))
    (finding,) = report["findings"]
    assert (code, finding["outcome"]) == (Exit.ERROR, "error")
    assert document("replay", finding["file"])[0] == Exit.ERROR


def test_no_finding_is_before_the_first_step() -> None:
    execution = experiment("ending", way="stillborn").run_once(Fifo())
    assert execution.finding is not None
    assert execution.finding.step == 0


def scenario_file(folder: Path, body: str) -> str:
    """A file with one scenario, `mine`, of one actor `a`."""
    file = folder / "mine.py"
    head = "from stopmarker import Cpu, World, scenario\n\n\n@scenario()\n"
    head += 'def mine(world: World) -> None:\n    """Mine."""\n'
    file.write_text(f"{head}{body}", encoding="utf-8")
    return f"{file}::mine"


@pytest.mark.parametrize("command", ["fuzz", "prove"])
@pytest.mark.parametrize("body", ["", "    async def a(cpu: Cpu) -> None: ...\n    world.add_actor('a', a)\n"])
def test_a_world_in_which_nobody_takes_a_step_is_vacuous(tmp_path: Path, command: str, body: str) -> None:
    name = scenario_file(tmp_path, body)
    code, report = document(command, name, "-o", str(tmp_path))
    assert (code, report["verdict"]) == (Exit.INCONCLUSIVE, "vacuous")


STORES = """    word = world.word("w")

    async def a(cpu: Cpu) -> None:
        await cpu.store(word, 1)

    world.add_actor("a", a)
"""


def test_a_proof_without_a_property_says_that_none_is_stated(tmp_path: Path) -> None:
    code, report = document("prove", scenario_file(tmp_path, STORES), "-o", str(tmp_path))
    assert (code, report["verdict"], report["says"]) == (
        Exit.NOTHING_VIOLATED,
        "holds",
        "no deadlock, livelock or error; no property is stated",
    )
    stated = STORES + '    world.eventually("p", lambda: None)\n'
    assert document("prove", scenario_file(tmp_path, stated), "-o", str(tmp_path))[1]["says"] is None


def test_a_finding_keeps_the_line_that_failed_in_every_output(tmp_path: Path) -> None:
    name = scenario_file(tmp_path, STORES.replace("cpu.store", "cpu.stor"))
    where = "mine.py, line 10"
    for command in (["run"], ["fuzz", "-o", str(tmp_path)], ["prove", "-o", str(tmp_path)]):
        _, report = document(command[0], name, *command[1:])
        finding = report["finding"] if command == ["run"] else report["findings"][0]["finding"]
        assert finding["where"] == where
        assert finding["message"] == f"a raised AttributeError: 'Cpu' object has no attribute 'stor' ({where})"
    assert document("replay", report["findings"][0]["file"])[1]["finding"]["where"] == where
    read = decode(Path(report["findings"][0]["file"]).read_bytes())
    assert read.finding is not None
    assert read.finding.where == where


def test_a_trace_of_before_lines_were_kept_can_be_read() -> None:
    trace = run("broken_oracle")
    assert trace.finding is not None
    old = replace(trace, finding=replace(trace.finding, where=""))
    assert decode(encode(old)) == old
