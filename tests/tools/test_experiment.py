"""Experiments: names and files are resolved, and whatever is wrong with them is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.runs.schedule import Recipe
from actors.runtime.runs.scheduler import Fifo
from tools.experiments.experiment import open_experiment, parse_params, reopen
from tools.terminal.exits import Refusal

from .runs import WORLDS, experiment

GOOD = """
from stopmarker import Cpu, World, scenario

@scenario()
def my_race(world: World) -> None:
    '''One note.'''
    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("done")
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> str:
    (folder / "mine.py").write_text(text)
    return "./mine.py"


def test_a_file_of_ones_own_runs_and_its_run_can_be_made_again(here: Path) -> None:
    path = write(here, GOOD)
    mine = open_experiment(f"{path}::my_race", {})
    assert mine.run_once(Fifo()).index == 1
    token = mine.recipe(()).token()
    assert reopen(Recipe.parse(token)).name == "./mine.py::my_race"
    assert not list(here.rglob("__pycache__"))


@pytest.mark.parametrize("suffix", ["", "::my_race", "::my-race"])
def test_the_only_scenario_of_a_file_needs_no_name(here: Path, suffix: str) -> None:
    assert open_experiment(write(here, GOOD) + suffix, {}).name == "./mine.py::my_race"


def test_a_file_that_was_changed_is_read_again(here: Path) -> None:
    open_experiment(write(here, GOOD), {})
    changed = open_experiment(write(here, GOOD.replace('"done"', '"gone"')), {})
    assert changed.run_once(Fifo()).steps[0].what == "note gone = 0"


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        (GOOD, "my_rice", r"no scenario 'my_rice' in ./mine.py; did you mean 'my_race'\? \(it has: my_race\)"),
        ("x = 1", "x", r"no scenario 'x' in ./mine.py \(it has: none: decorate a function"),
        ("def broken(:", "x", r"load ./mine.py: SyntaxError: .* \(line 1\)"),
        ("\nimport no_such_thing", "x", r"load ./mine.py: ModuleNotFoundError: .* \(mine.py, line 2\)"),
        ("raise SystemExit(3)", "x", r"load ./mine.py: SystemExit: 3 \(mine.py, line 1\)"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_in_one_line(here: Path, text: str, name: str, message: str) -> None:
    with pytest.raises(Refusal, match=message) as refusal:
        open_experiment(f"{write(here, text)}::{name}", {})
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("path", ["./missing.py", "."])
def test_a_file_that_cannot_be_read_is_refused(here: Path, path: str) -> None:
    with pytest.raises(Refusal, match=rf"read {path}: "):
        open_experiment(f"{path}::x", {})


def test_a_file_that_is_no_text_is_refused(here: Path) -> None:
    (here / "mine.py").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Refusal, match=r"read ./mine.py: UnicodeDecodeError"):
        open_experiment("./mine.py", {})


def test_a_scenario_that_cannot_build_its_world_is_refused(here: Path) -> None:
    mine = open_experiment(write(here, GOOD.replace("    '''One note.'''", "    world.nothing")), {})
    with pytest.raises(Refusal, match=r"build ./mine.py::my_race: AttributeError: .* \(mine.py, line 6\)"):
        mine.run_once(Fifo())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"drian": "none"}, "has no parameter 'drian'; did you mean 'drain'"),
        ({"drain": "non"}, "allowed are none, full; did you mean 'none'"),
    ],
)
def test_parameters_are_checked(params: dict[str, str], message: str) -> None:
    with pytest.raises(Refusal, match=message):
        open_experiment(f"{WORLDS}::unbinding", params)


def test_values_that_do_not_go_together_are_refused_as_a_wrong_value_is() -> None:
    knob = open_experiment("stop-by-blocking-translation", {"absent": "ur"})
    text = (
        "^stop-by-blocking-translation: parameter absent='ur': a knob of VT-d alone; with iommu=smmuv3 allowed is hole"
    )
    with pytest.raises(Refusal, match=text):
        knob.world()


@pytest.mark.parametrize("text", ["drain", "=x", ""])
def test_a_parameter_is_a_name_and_a_value(text: str) -> None:
    with pytest.raises(Refusal, match="expected name=value"):
        parse_params([text])


def test_a_parameter_has_one_value() -> None:
    assert parse_params(["a=1", "b=2=3"]) == {"a": "1", "b": "2=3"}
    with pytest.raises(Refusal, match="parameter 'a': given twice, as '1' and '2'; once is allowed"):
        parse_params(["a=1", "a=2"])


def test_a_run_can_be_stopped_after_some_steps() -> None:
    assert experiment("ending").run_once(Fifo(), steps=2).index == 2
