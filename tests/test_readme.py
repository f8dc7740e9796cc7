"""What README claims: the commands it names exist, the ladder is what the command prints, the scenario runs."""

from __future__ import annotations

import re
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from actors.runtime.world import Cpu, Session, World
from tools.cli import cli

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)


def stopmarker(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments])


def block(language: str) -> str:
    return next(str(text) for name, text in BLOCKS if name == language)


def test_the_ladder_is_what_the_command_prints(tmp_path: Path) -> None:
    result = stopmarker("fuzz", "unbind-window", "-o", str(tmp_path))
    assert result.exit_code == 1
    assert result.stdout.startswith(block(""))
    assert all(len(line) <= 72 for line in block("").splitlines())


def test_the_proof_has_the_numbers_that_are_named(tmp_path: Path) -> None:
    result = stopmarker("prove", "unbind-window", "-p", "drain=full", "-o", str(tmp_path))
    claim = re.search(r"HOLDS: all .* steps", README)
    assert claim is not None
    assert result.exit_code == 0
    assert claim[0] in result.stdout


@pytest.mark.parametrize(("put", "exit_code", "says"), [("two-steps", 1, "VIOLATED"), ("atomic", 0, "HOLDS: all 2 ")])
def test_the_scenario_of_your_own_does_what_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, put: str, exit_code: int, says: str
) -> None:
    source = block("python")
    assert len(source.splitlines()) <= 30
    (tmp_path / "my_race.py").write_text(source, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    result = stopmarker("prove", "./my_race.py::last_put", "-p", f"put={put}")
    assert result.exit_code == exit_code
    assert says in result.stdout
    audited = stopmarker("fuzz", "./my_race.py::last_put", "-p", f"put={put}", "--audit")
    assert audited.exit_code == exit_code
    assert "FootprintError" not in audited.stdout


def test_every_command_that_is_named_exists() -> None:
    named = set(re.findall(r"(?:    |`|: )stopmarker (\w+)", README))
    assert named
    assert named <= set(cli.commands)


def test_the_page_of_calls_names_what_there_is() -> None:
    """Each call has the parameters that are named, and of a cpu only what the runtime itself calls is left out."""
    text = (Path(__file__).parents[1] / "docs" / "calls.md").read_text(encoding="utf-8")
    for owner, kind in (("world", World), ("cpu", Cpu)):
        for name, given in re.findall(rf"\b{owner}\.(\w+)(?:\(([^()]*)\))?", text):
            found: Any = getattr(kind, name, None)
            assert found is not None or name in vars(World(Session())), f"{owner}.{name}"
            for parameter in re.findall(r"(\w+)=", given):
                assert parameter in signature(found).parameters, f"{owner}.{name}({parameter}=)"
    named = set(re.findall(r"\bcpu\.(\w+)", text))
    public = {name for name in dir(Cpu) if not name.startswith("_")}
    of_the_runtime = {"acts", "holds", "in_interrupt", "looks", "might_sleep", "processor", "refuse", "returns"}
    of_the_runtime |= {"spinning", "took", "waited_for", "waits_spinning"}
    assert public - named == of_the_runtime
