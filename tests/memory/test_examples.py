"""The examples of docs/memory-models.md come to what it says of them, from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools.cli import cli

ROOT = Path(__file__).parents[2]
_BLOCKS = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "memory-models.md").read_text(), re.DOTALL)
VERDICTS = {
    ("message_passing", "order=plain"): {"arm"},
    ("message_passing", "order=release"): {"arm"},
    ("message_passing", "order=both"): set(),
    ("store_buffer", "barrier=none"): {"tso", "arm"},
    ("store_buffer", "barrier=full"): set(),
}
"""Under which models each is violated."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The examples as files, in the current directory."""
    for block in _BLOCKS:
        name = re.search(r"def (\w+)\(world", block)
        assert name is not None
        (tmp_path / f"{name[1]}.py").write_text(block)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


@pytest.mark.parametrize("model", ["sc", "tso", "arm"])
@pytest.mark.parametrize(("name", "given"), VERDICTS)
def test_the_examples_come_to_what_is_said(files: Path, name: str, given: str, model: str) -> None:
    result = run("prove", f"./{name}.py", "-p", given, "--memory", model, "--json")
    document = json.loads(result.stdout)
    assert document["memory"] == model
    assert document["verdict"] == ("violated" if model in VERDICTS[name, given] else "holds")
    assert document["params"].get("memory", "sc") == model


@pytest.mark.parametrize(
    ("model", "says"),
    [
        ("sc", "sequentially consistent memory, time-outs at any moment."),
        ("tso", "x86 memory (TSO), time-outs at any moment."),
        ("arm", "Armv8 memory (hardware, not the Linux-kernel model; no load buffering), time-outs at any moment."),
    ],
)
def test_every_verdict_names_its_model(files: Path, model: str, says: str) -> None:
    for command in (["run"], ["fuzz"], ["prove"], ["matrix"]):
        result = run(*command, "./store_buffer.py", "--memory", model)
        assert " ".join(result.stdout.split()).endswith(says)


def test_a_token_keeps_its_model_and_replays_under_it(files: Path) -> None:
    found = json.loads(run("fuzz", "./store_buffer.py", "--memory", "tso", "--json").stdout)
    token = found["findings"][0]["token"]
    again = json.loads(run("replay", token, "--json").stdout)
    assert (again["memory"], again["verdict"]) == ("tso", "violated")
    explained = run("explain", token, "--memory", "tso")
    assert explained.exit_code == 0
    assert "x86 memory (TSO)" in " ".join(explained.stdout.split())
    other = run("explain", token, "--memory", "arm")
    assert (other.exit_code, other.stderr) == (
        2,
        "stopmarker: explain --memory arm: the run was recorded under tso, and its choices mean that\n",
    )


def test_a_campaign_says_its_model(files: Path) -> None:
    arguments = ["--schedules", "200", "--memory", "tso", "--json", "-j", "1"]
    document = json.loads(run("campaign", "start", "night", "./store_buffer.py", *arguments).stdout)
    assert (document["memory"], document["verdict"]) == ("tso", "violated")


def test_a_scenario_may_have_a_model_of_its_own(files: Path) -> None:
    mine = Path("mine.py")
    mine.write_text(Path("store_buffer.py").read_text().replace("@scenario(", '@scenario(memory="tso", '))
    assert json.loads(run("prove", "./mine.py", "--json").stdout)["memory"] == "tso"
    assert json.loads(run("prove", "./mine.py", "--memory", "sc", "--json").stdout)["verdict"] == "holds"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("4G", "'4G' is a size; how much it may hold is --memory-limit"),
        ("pso", "parameter memory='pso': allowed are sc, tso, arm; did you mean 'tso'?"),
    ],
)
def test_what_is_no_model_is_refused(files: Path, given: str, says: str) -> None:
    result = run("prove", "./store_buffer.py", "--memory", given)
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
