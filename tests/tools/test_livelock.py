"""A livelock on the command line: found, shortened to what leads into it, kept, drawn, replayed; never explained."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from actors.runtime.runners.controlled import controlled
from actors.runtime.runs.schedule import FAIR, Recipe
from actors.runtime.runs.scheduler import Replay
from tools.cli import cli
from tools.experiments.experiment import open_experiment
from tools.explore.reasons.shrink import shrink
from tools.terminal.exits import Exit
from tools.traces.store import load

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
    assert "1 of 1 schedule (6.0 steps each, seed 0) violated, 1 distinct.\nBounds: " in result.stdout
    (file,) = tmp_path.iterdir()
    return file


def test_what_fuzz_finds_replays_and_is_shown(trace: Path) -> None:
    result = call("replay", str(trace))
    assert result.exit_code == Exit.VIOLATED
    assert "Replayed 6 steps: identical to the recording, byte for byte." in result.stdout
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
    assert "VIOLATED: 1 of 1 inequivalent schedule, 6 steps" in result.stdout
    patient = call("prove", POLITE, "-p", "tries=2", "-o", str(tmp_path))
    assert patient.exit_code == Exit.NOTHING_VIOLATED
    assert "HOLDS: all 49 inequivalent schedules" in patient.stdout


def test_a_proof_with_a_bound_meets_it_beyond_the_bound(tmp_path: Path) -> None:
    """Nothing is fair about the runs of the search; but each that reaches the bound is followed a little farther."""
    result = call("prove", POLITE, "--bound", "9", "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED


def test_it_is_explained_by_what_goes_round_and_by_the_orders_that_end(trace: Path) -> None:
    result = call("explain", str(trace))
    assert result.exit_code == Exit.NOTHING_VIOLATED
    said = " ".join(result.stdout.split())
    assert "In each round of 6: a takes 3 steps, b takes 3 steps." in said
    assert "- a: rmw try other looks at word right (0x1008), which changes by b: rmw try mine, b: store mine" in said
    assert "- step 1 a: rmw try other comes before b: rmw try mine" in said
    assert "The nearest schedule that ends:" in said
    assert "Tried: 6 other orders, each different in one step of the circle." in said


CYCLES = """\
from dataclasses import dataclass

from stopmarker import Cpu, World, scenario


@dataclass(frozen=True)
class Fix:
    id: int


@scenario()
def retry(world: World) -> None:
    gate, other, work = world.word("gate"), world.word("other"), world.workqueue("repairs", Fix)
    answers = world.port("answers", Fix)

    @world.actor
    async def caller(cpu: Cpu) -> None:
        while not await cpu.load(gate, "gate"):
            await work.queue(Fix(id=0))
            await cpu.receive(answers)

    @world.daemon
    async def worker(cpu: Cpu) -> None:
        while True:
            number, fix = await work.take(cpu)
            await cpu.store(other, 1, "other")
            await work.finish(number)
            await cpu.send(answers, fix)


@scenario()
def sequence(world: World) -> None:
    generation, done = world.word("generation"), world.word("done")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        while await cpu.load(generation, "generation") != await cpu.load(generation, "generation"):
            pass
        await cpu.store(done, 1, "done")

    @world.actor
    async def updater(cpu: Cpu) -> None:
        while not await cpu.load(done, "done"):
            await cpu.rmw(generation, lambda g: 1 - g, "generation")


@scenario()
def endless(world: World) -> None:
    count = world.word("count")

    @world.actor
    async def main(cpu: Cpu) -> None:
        while True:
            await cpu.rmw(count, lambda n: n + 1, "count")
"""


@pytest.mark.parametrize(
    ("name", "rows", "circle"),
    [("retry", 7, "from step 0 on the same 7 steps"), ("sequence", 10, "from step 2 on the same 8 steps")],
)
def test_a_circle_that_no_fair_run_meets_or_that_counts_its_works_is_drawn_once(
    name: str, rows: int, circle: str, tmp_path: Path
) -> None:
    path = tmp_path / "cycles.py"
    path.write_text(CYCLES)
    for command in ("fuzz", "prove"):
        result = call(command, f"{path}::{name}", "-o", str(tmp_path / command))
        assert result.exit_code == Exit.VIOLATED
        said = " ".join(result.stdout.split())
        assert f"{rows} of {rows} steps shown" in said
        assert circle in said
        (found,) = (tmp_path / command).glob("*.smt")
        again = call("replay", str(found))
        assert f"Replayed {rows} steps: identical to the recording, byte for byte." in again.stdout
    explained = call("explain", str(found))
    assert explained.exit_code == Exit.NOTHING_VIOLATED
    said = " ".join(explained.stdout.split())
    if name == "retry":
        assert "- caller: load gate looks at word gate (0x1000), which nothing in the circle changes" in said
        assert "No order that differs in one step of the circle leaves it." in said
    else:
        assert "looks at word generation (0x1000), which changes by updater: rmw generation" in said
        assert "- step 2 reader: load generation comes before updater: rmw generation" in said
        assert "Tried: 8 other orders" in said


def test_of_a_run_that_only_reached_its_bound_the_last_steps_are_drawn(tmp_path: Path) -> None:
    path = tmp_path / "cycles.py"
    path.write_text(CYCLES)
    result = call("fuzz", f"{path}::endless", "-o", str(tmp_path))
    assert result.exit_code == Exit.VIOLATED
    assert "40 of 2000 steps shown" in result.stdout
    assert "STEP BOUND step-bound: still busy after 2000 steps" in " ".join(result.stdout.split())
