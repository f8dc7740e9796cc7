"""The audit of a search's own runs: state that no step declares is never proved away, wherever it shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actors.runtime.primitives.looks import Noting
from actors.runtime.runs.commute import KINDS
from tools.own_files import own_file
from tools.searches import auditing
from tools.searches.auditing import ALL, ALL_OWN, MORE, Auditor
from tools.searches.proof import Proof
from tools.terminal.exits import Exit
from tools.terminal.interrupt import StopRequest

from ..test_proof import FOREVER, terms
from .test_cli import call

HEAD = """
from stopmarker import Cpu, World, scenario
KEPT = {}


@scenario()
def hidden(world: World) -> None:
    '''Two steps that share what neither declares.'''
    a, b, left = world.word("a"), world.word("b"), []
"""
LOOKS = """
    async def first(cpu: Cpu) -> None:
        await cpu.store(a, 1, "a")
        left.append(1)

    async def second(cpu: Cpu) -> None:
        await cpu.load(b, "b")
        seen = len(left)
        BODY

    world.add_actor("first", first)
    world.add_actor("second", second)
"""
OTHERWISE = (
    "`{}` of {}, then `{}` of {}, is not the same as the other way round: what one leaves for the other is in Python's "
    "own state (both use before, sys), a variable or what a property remembers, and not both declare it. Name one "
    'resource in both, such as writes=["done"] and reads=["done"], or keep it in a world.word()'
)
ONE = "HOLDS: the only inequivalent schedule, "
TWO = "HOLDS: all 2 inequivalent schedules, "
MODELS = {
    "a step more": (LOOKS.replace("BODY", "if seen: await cpu.store(b, 1, 'b')"), 0, TWO),
    "the value of a note": (LOOKS.replace("BODY", "await cpu.note('x', seen)"), 0, TWO),
    "the value in memory": (LOOKS.replace("BODY", "await cpu.store(b, seen, 'b')"), 0, TWO),
    "what an event says": (
        LOOKS.replace(
            "BODY", "await cpu.access('tell', writes=[('note', 'x')]); cpu.emit(Note(subject='x', value=seen))"
        ),
        0,
        TWO,
    ),
    "only the end": (
        LOOKS.replace("BODY", "left.append(2)")
        + "    world.eventually('first is first', lambda: 'second was' if left[0] == 2 else None)\n",
        1,
        "VIOLATED: 1 of ",
    ),
    "nothing": (LOOKS.replace("left.append(1)", "pass").replace("BODY", "pass"), 0, ONE),
}


@pytest.mark.parametrize(
    ("model", "command"), [(model, command) for model in MODELS for command in (["prove"], ["prove", "-j", "2"])]
)
def test_what_steps_share_in_python_counts_as_declared(
    model: str, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, code, verdict = MODELS[model]
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(HEAD.replace("scenario\n", "scenario, Note\n", 1) + text)
    result = call(command[0], "mine.py", *command[1:])
    assert (result.exit_code, verdict in result.stdout) == (code, True), result.stdout + result.stderr


BEHIND = """
    async def first(cpu: Cpu) -> None:
        await cpu.store(a, 1, "a")
        world.memory.write(b, 1)

    world.add_actor("first", first)
"""
OUT_OF_SIGHT = """
    import sys

    before = sys.getrecursionlimit()

    async def first(cpu: Cpu) -> None:
        await cpu.store(a, 1, "a")
        sys.setrecursionlimit(before + 1)

    async def second(cpu: Cpu) -> None:
        await cpu.load(b, "b")
        await cpu.note("x", sys.getrecursionlimit() - before)

    world.add_actor("first", first)
    world.add_actor("second", second)
    sys.setrecursionlimit(before)
"""


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not looked into passes for what is, so that only the audit is left to find what it hides."""
    monkeypatch.setattr(own_file, "not_understood", lambda *_: None)
    monkeypatch.setattr(Noting, "look_no_further", lambda *_: None)


@pytest.mark.parametrize("command", [["prove"], ["prove", "-j", "2"], ["fuzz"]])
def test_memory_behind_the_back_of_a_step_is_refused(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(HEAD + BEHIND)
    result = call(command[0], "mine.py", *command[1:])
    assert (result.exit_code, result.stdout) == (7, "")
    complaint = "first raised FootprintError: step `store a` writes word b (0x1008), which it does not declare"
    assert f"stopmarker: {command[0]} mine.py::hidden: {complaint}" in result.stderr


@pytest.mark.parametrize("command", [["prove"], ["fuzz"]])
@pytest.mark.usefixtures("blind")
def test_hidden_state_that_nobody_sees_is_refused_with_the_two_steps_and_advice(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(HEAD + OUT_OF_SIGHT)
    result = call(command[0], "mine.py", *command[1:])
    assert (result.exit_code, result.stdout) == (7, "")
    complaint = OTHERWISE.format("store a", "first", "load b", "second")
    assert f"stopmarker: {command[0]} mine.py::hidden: {complaint}" in result.stderr


@pytest.mark.parametrize("command", [["prove"], ["prove", "-j", "2"]])
def test_what_nobody_can_look_into_makes_all_steps_dependent(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(HEAD + OUT_OF_SIGHT)
    result = call(command[0], "mine.py", *command[1:], "--json")
    document = json.loads(result.stdout)
    assert (document["verdict"], document["traces"]) == ("holds", 3)
    assert document["shared"] == ["`import sys` in line 11 of mine.py"]


LATE = """
import sys

from stopmarker import Cpu, World, scenario


@scenario()
def late(world: World) -> None:
    '''Only where the first writer is the last, it leaves something behind the back of its step.'''
    order, before_all = world.word("order"), sys.getrecursionlimit() // 10 * 10
    sys.setrecursionlimit(before_all)

    for number in range(4):
        async def writer(cpu: Cpu, number: int = number) -> None:
            before = await cpu.rmw(order, lambda word: word * 8 + number + 1, "order")
            if number == 0 and before >= 0o100:
                await cpu.access("look")
                sys.setrecursionlimit(before_all + 1)

        world.add_actor(f"writer {number}", writer)

    async def teller(cpu: Cpu) -> None:
        await cpu.access("tell")
        await cpu.note("seen", sys.getrecursionlimit() - before_all)

    world.add_actor("teller", teller)
"""


@pytest.mark.usefixtures("blind")
def test_all_through_a_search_a_share_of_its_runs_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 24 classes six show the hidden state; the first of them do not."""
    mine = tmp_path / "mine.py"
    mine.write_text(LATE)
    monkeypatch.setattr(auditing, "THOROUGH", 0)
    monkeypatch.setattr(auditing, "ALL_OWN", 8)
    monkeypatch.setattr(auditing, "SHARE", 10**9)
    assert call("prove", str(mine)).exit_code == Exit.NOTHING_VIOLATED
    monkeypatch.setattr(auditing, "SHARE", 4)
    result = call("prove", str(mine))
    assert result.exit_code == Exit.ERROR
    assert "`tell` of teller, then `look` of writer 0, is not the same" in result.stderr


BRIEF = """
import sys

from stopmarker import Cpu, Note, World, scenario


@scenario()
def brief(world: World) -> None:
    \"\"\"All steps commute, and in one order of many the reader sees what the writer takes back in its next step.\"\"\"
    word, before = world.word("word"), sys.getrecursionlimit()

    @world.actor
    async def reader(cpu: Cpu) -> None:
        await cpu.load(word)
        if sys.getrecursionlimit() != before:
            await cpu.note("bad")

    @world.actor
    async def writer(cpu: Cpu) -> None:
        await cpu.load(word)
        sys.setrecursionlimit(before + 1)
        await cpu.load(word)
        sys.setrecursionlimit(before)
        await cpu.load(word)

    world.always("never", lambda note: "bad" if note.subject == "bad" else None)
"""


@pytest.mark.usefixtures("blind")
def test_hidden_state_of_one_moment_is_found_in_the_only_schedule(tmp_path: Path) -> None:
    """A proof once said HOLDS: five other orders of the one schedule had no step of the reader at that moment."""
    mine = tmp_path / "mine.py"
    mine.write_text(BRIEF)
    result = call("prove", str(mine))
    assert result.exit_code == Exit.ERROR
    assert "of reader, then `load word` of writer, is not the same as the other way round" in result.stderr


@pytest.mark.parametrize(("own", "thorough", "others"), [(ALL, 11, 2 * 53 + 3), (ALL_OWN, 15, 2 * 705)])
def test_which_runs_are_made_again_is_a_matter_of_their_schedules(
    monkeypatch: pytest.MonkeyPatch, own: int, thorough: int, others: int
) -> None:
    """Of a user's file it is all of the first thousands; the first eight, and number 8, 16, 32 …, in more orders."""
    monkeypatch.setattr(auditing, "ALL_OWN", own)
    again = Auditor._again
    made = 0

    def count(self: Auditor, scheduler: object) -> object:
        nonlocal made
        made += 1
        return again(self, scheduler)  # type: ignore[arg-type]

    monkeypatch.setattr(Auditor, "_again", count)
    totals = []
    for _ in range(2):
        made = 0
        proof = Proof(terms("writers", n=6))
        proof.run(FOREVER, 1, lambda _: None, StopRequest())
        assert proof.report.schedules == 720
        totals.append(made)
    assert totals == [thorough * (KINDS + MORE) + others] * 2


def test_the_published_models_declare_what_their_property_looks_at() -> None:
    for kind in ("base", "hard"):
        result = call("prove", "tests/models.py::pri_window", "-p", f"kind={kind}", "--keep-going")
        assert result.exit_code == Exit.VIOLATED
