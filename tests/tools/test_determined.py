"""No verdict about a scenario whose runs are not functions of their schedules, in this process and in others."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.cli import cli
from tools.experiments.experiment import open_experiment
from tools.terminal.exits import Diverged, Exit
from tools.traces.determined import can_hold_a_set
from tools.traces.replay import replay_trace
from tools.traces.trace import Trace

from .runs import run

FILE = """
import json
from stopmarker import Cpu, World, scenario
{top}
@scenario()
def mine(world: World) -> None:
    '''Two actors.'''
    w = world.word("w")
    async def a(cpu: Cpu) -> None:
        {code}
        await cpu.store(w, 1, "w")
    async def b(cpu: Cpu) -> None:
        await cpu.load(w, "w")
    world.add_actor("a", a)
    world.add_actor("b", b)
"""
LETTERS = "for name in set('abcdefgh'): await cpu.store(w, 0, name)"
HASH_ORDER = "the order of a set, or hash(), reaches the run, and is another in every process; sort it, or keep a dict"


def write(folder: Path, top: str, code: str) -> str:
    (folder / "mine.py").write_text(FILE.replace("{top}", top).replace("{code}", code))
    return f"{folder}/mine.py::mine"


def said(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, [*arguments, "--json"])
    document = json.loads(result.stdout)
    return result.exit_code, document.get("message", "")


@pytest.mark.parametrize(
    ("top", "code", "message"),
    [
        ("", "json.n = getattr(json, 'n', 0) + 1\n        await cpu.access('x', reads=[('thing', json.n)])",
         "at step 0: a takes `x` and reads ('thing', 1), {all}, and in the other reads ('thing', 2), {all}. "
         "Likely cause: {other}"),
        ("", "await cpu.note('x', repr(object()))", None),
    ],
)  # fmt: skip
def test_two_runs_of_one_schedule_are_compared(
    tmp_path: Path, top: str, code: str, message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json, "n", 0, raising=False)
    name = write(tmp_path, top, code)
    code_of, told = said("fuzz", name, "-o", str(tmp_path))
    assert code_of == Exit.DIVERGED
    assert told.startswith(f"{name}: two runs of one schedule differ at step ")
    other = "state that outlives a run (of an installed module, of a file, of a thread), or an address: the order of a "
    if message is not None:
        everything = "writes ('python', 'everything')"
        assert message.replace("{other}", other).replace("{all}", everything) in told


@pytest.mark.parametrize("command", ["run", "fuzz", "prove"])
def test_the_order_of_a_set_is_refused_before_a_verdict(tmp_path: Path, command: str) -> None:
    name = write(tmp_path, "", LETTERS)
    folder = () if command == "run" else ("-o", str(tmp_path))
    code, message = said(command, name, *folder)
    assert code == Exit.DIVERGED
    assert message.startswith(f"{name}: under two hash seeds a run differs at step ")
    assert "a takes `store " in message and message.endswith(f"Likely cause: {HASH_ORDER}")
    assert not list(tmp_path.glob("*.smt"))


def test_a_set_that_is_sorted_is_no_matter(tmp_path: Path) -> None:
    name = write(tmp_path, "", LETTERS.replace("set('abcdefgh')", "sorted(set('abcdefgh'))"))
    assert said("run", name) == (Exit.NOTHING_VIOLATED, "")


@pytest.mark.parametrize("command", ["run", "fuzz", "prove"])
def test_a_scenario_that_is_in_order_passes(tmp_path: Path, command: str) -> None:
    folder = () if command == "run" else ("-o", str(tmp_path))
    assert said(command, write(tmp_path, "", "pass"), *folder) == (Exit.NOTHING_VIOLATED, "")


def test_a_campaign_does_not_start(tmp_path: Path) -> None:
    name = write(tmp_path, "", "await cpu.note('x', repr(object()))")
    code, message = said("campaign", "start", str(tmp_path / "night"), name, "--schedules", "5", "-j", "1")
    assert code == Exit.DIVERGED and "two runs of one schedule differ at step 0" in message
    assert not (tmp_path / "night").exists()


def test_a_replay_says_that_the_order_of_a_set_is_the_cause(tmp_path: Path) -> None:
    name = write(tmp_path, "", LETTERS)
    then = _recorded_elsewhere(tmp_path, name)
    with pytest.raises(
        Diverged, match=r"^replay diverged at step \d: .* Likely cause: the order of a set, or hash\(\), "
    ) as told:
        replay_trace(then)
    assert "(under two hash seeds a replay differs at step " in str(told.value)


def _recorded_elsewhere(folder: Path, name: str) -> Trace:
    """Of a process with another order: of the two seeds one at least has another one than this process."""
    ours = [step.what for step in run(name).steps]
    for seed in "12":
        script = f"from tests.tools.runs import run; import pickle, sys; pickle.dump(run({name!r}), sys.stdout.buffer)"
        made = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        )
        (folder / "then").write_bytes(made.stdout)
        then: Trace = pickle.loads(made.stdout)
        if [step.what for step in then.steps] != ours:
            return then
    raise AssertionError("three seeds with one order")


@pytest.mark.parametrize(
    ("text", "can"),
    [
        ("x: set[str] = {}", False),
        ("def f(x: set[str], *, y: frozenset[int]) -> set[str]: return x", False),
        ("x = {1, 2, 3}", False),
        ("x = {'a': 1}.keys()", False),
        ("x = a - b.c", False),
        ("x = {'a', 'b'}", True),
        ("x = {y for y in 'ab'}", True),
        ("x = set()", True),
        ("x = map(frozenset, 'ab')", True),
        ("x = {'a': 1}.keys() - {'b': 1}.keys()", True),
        ("x = vars().values()", True),
        ("def f(x: int = len(set('ab'))): pass", True),
    ],
)
def test_only_a_text_that_can_hold_a_set_is_tried_elsewhere(tmp_path: Path, text: str, can: bool) -> None:
    name = write(tmp_path, text, "pass")
    assert can_hold_a_set(name) is can
    assert not can_hold_a_set("unbind-window")


def test_a_set_in_a_sibling_counts(tmp_path: Path) -> None:
    (tmp_path / "my_help.py").write_text("X = {'a', 'b'}")
    name = write(tmp_path, "from my_help import X", "for x in X: await cpu.note(x)")
    assert can_hold_a_set(name)
    assert open_experiment(name, {}).name == name
