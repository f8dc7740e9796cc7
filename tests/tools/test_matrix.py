"""`stopmarker matrix`: rows beside what was expected of them, exit codes, and what Ctrl-C leaves."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from scenarios.catalogue import ERAS, MODULES
from tools.commands import matrix
from tools.searches import proof
from tools.searches import stated as rows_of_a_table
from tools.terminal.exits import Exit

from .test_cli import call, document

PROMISES = """
from scenarios.scenario import Expected
from stopmarker import Cpu, World, one_of, scenario

EXPECTED = (
    Expected(params={"order": "apart"}, verdict="holds"),
    Expected(params={"order": "crossed"}, verdict="holds", why="which is wrong"),
    Expected(params={"order": "late"}, verdict="violated", oracle="never 3"),
)


@scenario(expected=EXPECTED, order=one_of("apart", "crossed", "late", "free", default="apart", meaning="who goes when"))
def promises(world: World, order: str) -> None:
    '''Two writers, and what becomes of their word.'''
    word, other = world.word("word"), world.word("other")

    async def write(cpu: Cpu, value: int) -> None:
        await cpu.store(word if order != "apart" or value == 1 else other, value)

    @world.actor
    async def one(cpu: Cpu) -> None:
        await write(cpu, 1)

    @world.actor
    async def two(cpu: Cpu) -> None:
        await write(cpu, 2)
        if order == "late":
            await write(cpu, 3)

    read = world.memory.read
    world.eventually("never 1", lambda: "it was" if order != "apart" and read(word) == 1 else None)
    world.eventually("never 3", lambda: "it was" if read(word) == 3 else None)
"""

Row = tuple[dict[str, Any], str, int, int, bool | None]


@pytest.fixture
def promises(tmp_path: Path) -> str:
    path = tmp_path / "promises.py"
    path.write_text(PROMISES)
    return str(path)


def rows(*arguments: str) -> tuple[int, list[Row]]:
    """Exit code, and of each row what was given, verdict, schedules, failing ones, agreement."""
    code, table = document("matrix", *arguments)
    assert table["format"] == "stopmarker-matrix"
    return code, [(row["given"], row["verdict"], row["traces"], row["failing"], row["agrees"]) for row in table["rows"]]


def test_without_values_the_rows_are_those_with_an_expected_verdict() -> None:
    assert rows("mm-pin", "spinlock-alloc") == (
        Exit.NOTHING_VIOLATED,
        [
            ({"pin": "no-grab"}, "violated", 1, 1, True),
            ({"pin": "grab"}, "holds", 3, 0, True),
            ({"pin": "no-grab", "closer": "self"}, "vacuous", 1, 0, True),
            ({"install": "walk-devices"}, "violated", 1, 1, True),
            ({"install": "one-master"}, "holds", 1, 0, True),
            ({"install": "walk-devices", "leaf": "present"}, "vacuous", 2, 0, True),
        ],
    )


def test_all_failing_schedules_are_counted_on_request() -> None:
    code, table = document("matrix", "event-queue-wakeup", "-p", "thread=snapshot,re-read", "--keep-going")
    assert code == Exit.NOTHING_VIOLATED
    assert [(row["traces"], row["failing"], row["complete"]) for row in table["rows"]] == [(5, 2, True), (6, 0, True)]


def test_values_make_a_grid_and_find_their_expectation_by_all_parameters(promises: str) -> None:
    assert rows("mm-pin", "-p", "pin=grab", "-p", "closer=other,other") == (
        Exit.NOTHING_VIOLATED,
        [({"pin": "grab", "closer": "other"}, "holds", 3, 0, True)],
    )
    assert rows(promises, "-p", "order=free,apart") == (
        Exit.VIOLATED,
        [({"order": "free"}, "violated", 2, 1, None), ({"order": "apart"}, "holds", 1, 0, True)],
    )


def test_a_disagreement_is_told_and_a_row_goes_on_until_the_expected_property_breaks(promises: str) -> None:
    code, found = rows(promises)
    assert code == Exit.VIOLATED
    assert found == [
        ({"order": "apart"}, "holds", 1, 0, True),
        ({"order": "crossed"}, "violated", 2, 1, False),
        ({"order": "late"}, "violated", 1, 1, True),
    ]
    result = call("matrix", promises)
    assert "NOT AS EXPECTED: holds" in result.stdout
    assert "3 rows: 2 as expected, 1 not, 0 not compared." in result.stdout


def test_a_row_whose_budget_ends_is_no_verdict() -> None:
    code, table = document("matrix", "cmdq-issue", "-p", "issue=lock-free", "--budget", "0.000001s")
    assert (code, table["rows"][0]["verdict"], table["rows"][0]["agrees"]) == (Exit.INCONCLUSIVE, "not found", None)
    assert (
        "the budget ended; expected: holds"
        in call("matrix", "cmdq-issue", "-p", "issue=lock-free", "--budget", "0.000001s").stdout
    )


UNPROVED = """
from scenarios.scenario import Expected
from stopmarker import Cpu, World, number, scenario

EXPECTED = tuple(
    Expected(params={"writers": writers}, verdict="not found", searched=10, why="too large") for writers in (1, 2, 5)
)


@scenario(expected=EXPECTED, writers=number(1, 9, default=2, meaning="how many write"))
def unproved(world: World, writers: int) -> None:
    '''Writers of one word: the factorial of their number of schedules.'''
    word = world.word("word")

    async def write(cpu: Cpu) -> None:
        await cpu.store(word, 1)

    for writer in range(writers):
        world.add_actor(f"writer {writer}", write)
    world.eventually("company", lambda: "it is alone" if writers == 1 else None)
"""


def test_where_nothing_was_found_a_search_as_long_is_as_expected_and_so_is_a_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "TURN", 0.0)
    path = tmp_path / "unproved.py"
    path.write_text(UNPROVED)
    code, found = rows(str(path), "-p", "writers=2,5")
    assert code == Exit.NOTHING_VIOLATED
    assert [(verdict, agrees) for _, verdict, *_, agrees in found] == [("holds", True), ("not found", True)]
    assert rows(str(path), "-p", "writers=1") == (Exit.VIOLATED, [({"writers": 1}, "violated", 1, 1, False)])
    assert "not found in 10 schedules" in call("matrix", str(path), "--budget", "0.000001s").stdout
    assert "not found  in 10 schedules" in call("list", str(path)).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mm-pinn"], "did you mean 'mm-pin'?"),
        (["mm-pin", "-p", "pim=grab"], "did you mean 'pin'?"),
        (["mm-pin", "-p", "pin=grab,grub"], "parameter pin='grub': allowed are no-grab, grab; did you mean 'grab'?"),
        (["mm-pin", "-p", "pin"], "expected name=value"),
        (["mm-pin", "--budget", "soon"], "budget 'soon'"),
        (["mm-pin", "--eras"], "it names its scenarios itself"),
    ],
)
def test_bad_input_gets_a_line_and_exit_code_2(arguments: list[str], message: str) -> None:
    result = call("matrix", *arguments)
    assert result.exit_code == Exit.USAGE
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_ctrl_c_between_two_rows_is_not_lost_and_keeps_those_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    told = matrix._note

    def pressed(row: rows_of_a_table.MatrixRow) -> str:
        signal.raise_signal(signal.SIGINT)
        return told(row)

    monkeypatch.setattr(matrix, "_note", pressed)
    result = call("matrix", "cmdq-issue", "-p", "batches=1,2", "-p", "synced=2", "-p", "entries=1")
    assert result.exit_code == Exit.INTERRUPTED
    assert "1 row of 2: 1 as expected, 0 not, 0 not compared." in result.stdout
    assert "interrupted after 1 of 2 rows" in result.stderr


def test_the_eras_are_scenarios() -> None:
    assert set(ERAS) <= set(MODULES)
