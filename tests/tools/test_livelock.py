"""A livelock on the command line: found, shortened to what leads into it, kept, drawn, replayed; never explained."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from actors.runtime.controlled import controlled
from actors.runtime.schedule import FAIR, Recipe, Replay
from tools.cli import cli
from tools.exits import Exit
from tools.experiment import open_experiment
from tools.explore.shrink import shrink
from tools.store import load

POLITE = "tests/tools/worlds.py::polite"
LIVELOCK = """\
[*] LIVELOCK no-livelock: a and b never finish, though everybody goes in
    turn: from step 0 on the same 6 steps again and again (a: rmw try
    mine, rmw try other, store mine; b: rmw try mine, rmw try other,
    store mine) (step 0)
"""


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Of a fuzz run."""
    result = call("fuzz", POLITE, "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED
    assert LIVELOCK in result.stdout
    assert "1 of 1 schedule (12.0 steps each, seed 0) violated, 1 distinct.\nBounds: " in result.stdout
    (file,) = tmp_path.iterdir()
    return file


def test_what_fuzz_finds_replays_and_is_shown(trace: Path) -> None:
    result = call("replay", str(trace))
    assert result.exit_code == Exit.VIOLATED
    assert "Replayed 12 steps: identical to the recording, byte for byte." in result.stdout
    for style in ("ladder", "columns", "list"):
        shown = call("show", str(trace), "--style", style)
        assert shown.exit_code == Exit.NOTHING_VIOLATED
        assert LIVELOCK in shown.stdout
    token = load(trace).recipe.token()
    assert Recipe.parse(token).schedule == (FAIR,)
    again = call("replay", token)
    assert again.exit_code == Exit.VIOLATED
    assert LIVELOCK in again.stdout
    assert "can take store mine" in call("replay", str(trace), "--step", "4").stdout


def test_what_leads_into_it_is_shortened() -> None:
    made = open_experiment(POLITE, {})

    async def main() -> None:
        async with controlled() as driver:
            shrunk = shrink(driver, made.world, Replay((0, 1, FAIR)), ("no-livelock", "a", "b"))
            assert (shrunk.schedule, shrunk.replays) == ((FAIR,), 2)
            finding = shrunk.execution.finding
            assert finding is not None
            assert finding.step == 0

    trio.run(main)


def test_a_proof_meets_it_in_its_first_run(tmp_path: Path) -> None:
    result = call("prove", POLITE, "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED
    assert LIVELOCK in result.stdout
    assert "VIOLATED: 1 of 1 inequivalent schedule, 12 steps" in result.stdout
    patient = call("prove", POLITE, "-p", "tries=2", "-o", str(tmp_path))
    assert patient.exit_code == Exit.NOTHING_VIOLATED
    assert "HOLDS: all 49 inequivalent schedules" in patient.stdout


def test_a_proof_with_a_bound_meets_it_beyond_the_bound(tmp_path: Path) -> None:
    """Nothing is fair about the runs of the search; but each that reaches the bound is followed a little farther."""
    result = call("prove", POLITE, "--bound", "9", "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED


def test_there_is_no_order_to_explain(trace: Path) -> None:
    result = call("explain", str(trace))
    assert result.exit_code == Exit.USAGE
    assert "a livelock is no matter of one order" in result.stderr
