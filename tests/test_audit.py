"""The footprint audit catches what is not declared; `test_commute` has every shipped combination."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from actors.runtime.primitives.events import Note
from actors.runtime.world import Cpu, World
from tools.cli import cli

from .running import run


def undeclared(world: World, what: str) -> None:
    hidden = world.word("hidden")
    port = world.word("flag", 1)

    async def main(cpu: Cpu) -> None:
        if what == "condition":
            await cpu.wait("flag", lambda: world.memory.read(port) == 1, reads=(("word", hidden),))
            return
        await cpu.access("careless", reads=(("word", hidden),) if what == "write" else ())
        if what == "read":
            world.memory.read(hidden)
        elif what == "write":
            world.memory.write(hidden, 1)
        else:
            cpu.emit(Note(subject="hidden"))

    world.add_actor("main", main)


@pytest.mark.parametrize(
    ("what", "complaint"),
    [
        ("read", "step `careless` reads word hidden (0x1000), which it does not declare"),
        ("write", "step `careless` writes word hidden (0x1000), which it does not declare"),
        ("condition", "step `flag` reads word flag (0x1008), which it does not declare"),
        ("event", "step `careless` emits Note, which touches ('note', 'hidden'), without declaring it"),
    ],
)
def test_what_a_step_does_not_declare_is_a_finding(what: str, complaint: str) -> None:
    finding = run(lambda world: undeclared(world, what), audit=True).finding
    assert finding is not None
    place = f" ({finding.where})" if finding.where else ""
    assert finding.message == f"main raised FootprintError: {complaint}{place}"
    assert run(lambda world: undeclared(world, what)).finding is None


def silent(world: World) -> None:
    """The waiter's condition looks at `gate`; it says so, but who opens it does not say that it writes it."""
    gate: list[str] = []

    @world.actor
    async def waiter(cpu: Cpu) -> None:
        await cpu.wait("the gate is open", lambda: bool(gate), reads=("gate",))

    @world.actor
    async def opener(cpu: Cpu) -> None:
        await cpu.access("open the gate", writes=("something else",))
        gate.append("open")


@pytest.mark.parametrize("audit", [False, True])
def test_a_change_that_is_not_declared_cannot_pass_for_a_deadlock(audit: bool) -> None:
    finding = run(silent, audit=audit).finding
    assert finding is not None
    assert finding.message == (
        "opener raised FootprintError: step `open the gate` decides whether waiter can take `the gate is open`: "
        'both must declare what one leaves for the other. Name one resource in both, such as writes=["done"] and '
        'reads=["done"], or keep it in a world.word()'
    )


def test_the_audit_is_an_option_of_run_and_fuzz(tmp_path: Path) -> None:
    source = """
from stopmarker import Cpu, World, scenario

@scenario()
def careless(world: World) -> None:
    \"\"\"Reads a word that its step does not name.\"\"\"
    word = world.word("w")

    async def main(cpu: Cpu) -> None:
        await cpu.access("look")
        world.memory.read(word)

    world.add_actor("main", main)
"""
    file = tmp_path / "mine.py"
    file.write_text(source, encoding="utf-8")
    for command in (["run"], ["fuzz", "-o", str(tmp_path)]):
        words = [command[0], f"{file}::careless", *command[1:]]
        assert CliRunner().invoke(cli, words).exit_code == 7  # memory is compared in every run of a user's file
        audited = CliRunner().invoke(cli, [*words, "--audit"])
        assert audited.exit_code == 7
        assert "FootprintError" in audited.stdout
