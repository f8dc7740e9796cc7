"""A word of the world has its name wherever a step or a message speaks of it; what is not stated is said to be so."""

from __future__ import annotations

from pathlib import Path

from .test_cli import call

FILE = """
from stopmarker import Cpu, World, one_of, scenario


@scenario(label=one_of("", "users", "store leaves the buffer", "users = 2", default="", meaning="of the store"))
def last(world: World, label: str) -> None:
    users = world.word("users")

    async def add(cpu: Cpu) -> None:
        before = await cpu.load(users)
        await cpu.store(users, before + 1, label)

    world.add_actor("one", add)
    world.add_actor("two", add)
    world.eventually("two", lambda: None if world.memory.read(users) == 2 else "an update is lost")
"""


def test_a_word_is_called_by_its_name_and_a_label_says_more_of_it(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(FILE, encoding="utf-8")

    def explained(label: str) -> str:
        result = call("prove", f"{mine}::last", "-p", f"label={label}", "-o", str(tmp_path / "found"))
        (trace,) = (tmp_path / "found").glob("*.smt")
        text = " ".join((result.stdout + call("explain", str(trace)).stdout).split())
        trace.unlink()
        assert "load users" in text and "0x1000 " not in text
        return text

    for label in ("", "users"):
        assert "two must store users before one loads users" in explained(label)
    sentence = "store leaves the buffer"
    assert f"two must store users ({sentence}) before one loads users" in explained(sentence)
    assert "two must store users = 2 before one loads users" in explained("users = 2")


def test_a_row_of_which_nothing_is_expected_is_no_surprise_of_a_table(tmp_path: Path) -> None:
    mine = tmp_path / "mine.py"
    mine.write_text(FILE, encoding="utf-8")
    result = call("matrix", f"{mine}::last")
    text = " ".join(result.stdout.split())
    assert result.exit_code == 1
    assert "nothing is expected of it" in text
    assert "1 row: 0 as expected, 0 not, 0 not compared, 1 of which nothing is expected" in text
