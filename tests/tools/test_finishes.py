"""`world.finishes` on the command line: starves, holds with the number of states, or not found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools.cli import cli
from tools.terminal.exits import Exit

WORLDS = """\
from stopmarker import Cpu, World, one_of, scenario

TRIES = []


class Tried:
    times = 0


@scenario(where=one_of("module", "class", "local", default="local", meaning="where a reader counts its tries"))
def patient(world: World, where: str) -> None:
    \"\"\"A reader that gives up after three tries, while somebody writes for ever.\"\"\"
    word = world.word("word")

    @world.daemon
    async def writer(cpu: Cpu) -> None:
        while True:
            await cpu.rmw(word, lambda value: 1 - value, "word")

    @world.actor
    async def reader(cpu: Cpu) -> None:
        tries = 0
        while await cpu.load(word, "word") != await cpu.load(word, "word"):
            tries += 1
            TRIES.append(1)
            Tried.times += 1
            if {"local": tries, "module": len(TRIES), "class": Tried.times}[where] == 3:
                return
            tries *= where == "local"
            if where != "module":
                TRIES.clear()
            Tried.times *= where == "class"

    world.finishes("reader")


@scenario()
def counting(world: World) -> None:
    \"\"\"Nobody declares that only differences of this counter matter.\"\"\"
    count, stop = world.word("count"), world.word("stop")

    @world.daemon
    async def counter(cpu: Cpu) -> None:
        while True:
            await cpu.rmw(count, lambda value: value + 1, "count")

    @world.actor
    async def waiter(cpu: Cpu) -> None:
        await cpu.poll(stop, bool, "stop")

    world.finishes("waiter")


@scenario()
def stranger(world: World) -> None:
    \"\"\"A name that nobody has.\"\"\"

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.access("read")

    world.finishes("reder")
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "worlds.py").write_text(WORLDS)
    return "./worlds.py"


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words)


@pytest.mark.parametrize("where", ["local", "module", "class"])
def test_who_counts_his_tries_finishes_wherever_the_count_is_kept(path: str, where: str) -> None:
    result = call("prove", f"{path}::patient", "-p", f"where={where}")
    assert result.exit_code == Exit.NOTHING_VIOLATED
    said = " ".join(result.stdout.split())
    assert "HOLDS: all 20 states, 38 steps from them, " in said
    assert "each tried, without partial-order reduction. reader finishes under every fair schedule." in said
    document = json.loads(call("prove", f"{path}::patient", "-p", f"where={where}", "--json").stdout)
    assert (document["verdict"], document["complete"], document["states"]) == ("holds", True, 20)
    assert document["time_outs"] == "at any moment"


def test_a_world_without_end_is_not_proved(path: str) -> None:
    result = call("prove", f"{path}::counting", "--budget", "1s")
    assert result.exit_code == Exit.INCONCLUSIVE
    said = " ".join(result.stdout.split())
    assert "NOT FOUND, and not proved: the search ended with states untried after " in said
    assert "A fair schedule may yet keep waiter from finishing." in said
    hunted = call("fuzz", f"{path}::counting", "--schedules", "50")
    assert hunted.exit_code == Exit.NOTHING_VIOLATED
    said = " ".join(hunted.stdout.split())
    assert "NOT FOUND, and not proved: the search ended with states untried after 50 states" in said


def test_a_name_that_nobody_has_and_what_does_not_go_with_states_are_refused(path: str) -> None:
    result = call("prove", f"{path}::stranger")
    assert result.exit_code == Exit.ERROR
    assert result.stderr.strip().endswith("world.finishes('reder'): no actor is called so; there are reader")
    result = call("prove", f"{path}::patient", "--checkpoint", "somewhere")
    assert result.exit_code == Exit.USAGE
    assert "a search by states (world.finishes) keeps none" in result.stderr
