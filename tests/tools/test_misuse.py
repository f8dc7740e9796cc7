"""Calls of the public face that were mistaken: one line that says what was meant, the user's line, and exit code 7."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.primitives.events import Outcome
from actors.runtime.runs.scheduler import Fifo
from scenarios.catalogue import IN_C, MODULES, load
from tests.running import of, run
from tools.experiments.experiment import open_experiment

from .test_cli import call

FILE = '''
import asyncio, enum
from dataclasses import dataclass
from stopmarker import Cpu, Note, World, scenario

@dataclass(frozen=True)
class Job:
    number: int = 0

@dataclass
class Loose:
    number: int = 0

class State(enum.Enum):
    IDLE = 0

class Ring:
    pass

async def child(cpu: Cpu) -> None:
    await cpu.access("child")

@scenario()
def mine(world: World) -> None:
    """One actor."""
    port, x, lock, rw = world.port("jobs", Job), world.word("x"), world.mutex("m"), world.rwlock("rw")
    queue, irq = world.workqueue("works", Job), world.interrupt("irq")
    {build}
    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("begun")
        {code}
'''
BUILD, CODE = (
    FILE.splitlines().index(f"{8 * ' ' if mark == 'code' else 4 * ' '}{{{mark}}}") + 1 for mark in ("build", "code")
)
OBJECT = "no name of what a step touches, as each run has another one: give a text, such as"


def told(folder: Path, build: str = "pass", code: str = "pass") -> str:
    """What a run comes to: an error's message, or nothing."""
    (folder / "mine.py").write_text(FILE.replace("{build}", build).replace("{code}", code))
    return finding(folder)


def finding(folder: Path) -> str:
    found = open_experiment(f"{folder}/mine.py", {}).run_once(Fifo()).finding
    assert found is None or found.outcome is Outcome.ERROR
    return found.message if found else ""


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("await cpu.store(x, None)", "`store x`: found None to be stored: a word holds a number"),
        ("await cpu.rmw(x, lambda n: n - 1, 'refs')", "`rmw refs`: write of -1 to 0x1000: a word holds 0..0xffff"),
        ("await cpu.store(x, 1 << 64, 'big')", f"`store big`: write of {1 << 64} to 0x1000: a word holds 0.."),
        ("await cpu.store(1, x)", "`store 0x1`: write of 0x1000 at 0x1: not a multiple of 8"),
        ("await cpu.load('x')", "`load`: found 'x', which is no word: give what `world.word()` returned"),
        ("await cpu.load('x', 'refs')", "`load refs`: found 'x', which is no word"),
        ("await cpu.poll('x', lambda n: n == 0, 'it')", "`it`: found 'x', which is no word"),
        ("await cpu.rmw(x, 5)", "rmw: found 5; give a function that says what it makes of the value"),
        ("await cpu.poll(x, 1, 'it')", "a wait: found 1; give a function that says when it ends"),
        ("await cpu.wait('it', True, reads=['it'])", "a wait: found True; give a function that says when it ends"),
        ("await cpu.lock('m')", "cpu.lock: found 'm'; give a mutex or a spin lock of the world"),
        ("await cpu.unlock('m')", "cpu.unlock: found 'm'; give a mutex or a spin lock of the world"),
        (
            "await cpu.lock(rw)",
            "cpu.lock: found a RwLock; of a reader-writer lock it is `await rwlock.acquire_read(cpu)`",
        ),
        ("await cpu.send(Job(), port)", "cpu.send: found a Job; give a port of the world and then the message"),
        ("await cpu.send(queue, Job())", "cpu.send: found a Workqueue; a port of the world and then the message, as"),
        ("await cpu.receive('jobs')", "cpu.receive: found 'jobs'; give a port of the world, as cpu.receive(port)"),
        ("await cpu.spawn(child, 'child')", "found cpu.spawn(function child, 'child'): give a name and an uncalled"),
        ("await cpu.note('it', [1])", "cpu.note('it', list of 1): a note is about a text; its value is a number or"),
        ("await cpu.note('it', None)", "cpu.note('it', None): a note is about a text"),
        ("await cpu.note('it', float('nan'))", "cpu.note('it', nan): a note is about a text"),
        (
            "await cpu.access('it', reads=x)",
            'reads= and writes= are lists of names, such as reads=["ring"]; found 4096',
        ),
        ("await cpu.access('it', reads='ring')", "reads= and writes= are lists of names, such as"),
        ("await cpu.access('it', reads=iter(['ring']))", "reads= and writes= are lists of names, such as"),
        ("await cpu.access('it', reads=[{}])", "reads= and writes= name what a step touches, such as"),
        ("await cpu.access('it', writes=[Ring()])", f"a Ring is {OBJECT}"),
        ("await cpu.access('it', writes=[('ring', Ring())])", f"a Ring is {OBJECT}"),
        ("await cpu.access('it', writes=[Job(1)])", f"a Job is {OBJECT}"),
        ("await cpu.access('it', writes=[lambda: 0])", f"function <lambda> is {OBJECT}"),
        ("await cpu.access('it', writes=[type('Local', (), {})])", f"class Local is {OBJECT}"),
        ("await cpu.access('it', writes=[enum.Enum('E', 'A').A])", f"E.A is {OBJECT}"),
        ("await cpu.access('it', writes=[ValueError()])", f"a ValueError is {OBJECT}"),
        ("await cpu.access('it', writes=[world])", f"a World is {OBJECT}"),
        ("await cpu.access('it', writes=[queue])", f"a Workqueue is {OBJECT}"),
        ("await cpu.access('it', writes=[float('nan')])", f"nan is {OBJECT}"),
        ("await cpu.wait('it', lambda: True, reads=[Ring()])", f"a Ring is {OBJECT}"),
        ("await cpu.choose('it', 2, [Ring()])", f"a Ring is {OBJECT}"),
        ("world.word('late')", "world.word('late') in an actor: words, locks and ports are made in the scenario"),
        ("world.mutex('late')", "world.mutex('late') in an actor: words, locks and ports are made in the scenario"),
        ("await asyncio.sleep(0)", "an actor awaited NoneType: inside a world only its cpu, ports and locks may be"),
        (
            "await asyncio.sleep(1)",
            "no running event loop: an actor awaits its cpu, ports and locks, nothing of asyncio",
        ),
    ],
)
def test_a_mistaken_call_of_an_actor_is_told_in_one_line(tmp_path: Path, code: str, message: str) -> None:
    said = told(tmp_path, code=code)
    error = said.partition(" raised ")[2].partition(": ")[2]
    assert error.startswith(message), said
    assert said.endswith(f"(mine.py, line {CODE})"), said


@pytest.mark.parametrize(
    ("build", "message"),
    [
        ("world.word(5, 'x')", "world.word: found 5 as its name; the name comes first and is a text"),
        ("world.word('y', '5')", "world.word('y', '5'): a word holds a number"),
        ("world.mutex(object())", "world.mutex: found an object as its name"),
        (
            "world.port('loose', Loose)",
            "port loose: found Loose, a dataclass that can be changed; a port carries frozen",
        ),
        ("world.add_actor(child, 'child')", "add actor: found function child, then 'child'; the name comes first"),
    ],
)
def test_a_world_that_is_filled_wrongly_is_told_with_its_line(tmp_path: Path, build: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace("{build}", build).replace("{code}", "pass"))
    result = call("prove", f"{tmp_path}/mine.py")
    assert result.exit_code == 7
    assert f"mine: MisuseError: {message}" in result.stderr
    assert result.stderr.rstrip().endswith(f"(mine.py, line {BUILD})")


@pytest.mark.parametrize(
    ("build", "rule"),
    [
        ("world.always('p', lambda: None)", "a property of `always` is called with one note"),
        ("world.eventually('p', lambda note: None)", "a property of `eventually` is called with nothing"),
        ("world.sometimes('p', lambda: True)", "a witness of `sometimes` is called with one note"),
    ],
)
def test_a_property_of_wrong_arity_is_told_with_its_line(tmp_path: Path, build: str, rule: str) -> None:
    said = told(tmp_path, build=build)
    assert said.endswith(f"; {rule} (mine.py, line {BUILD})"), said


@pytest.mark.parametrize(
    "code",
    ["await cpu.access('it', writes=[Ring()])", "world.mutex('late')", "await cpu.note('it', None)", "cpu.lock('m')"],
)
def test_what_is_refused_counts_also_if_the_actor_catches_it(tmp_path: Path, code: str) -> None:
    said = told(tmp_path, code=f"try: {code}\n        except Exception: pass")
    assert said.endswith(f"(mine.py, line {CODE})"), said


def test_what_is_the_same_in_every_run_names_what_a_step_touches(tmp_path: Path) -> None:
    names = "lock, port, irq, rw, State.IDLE, ('x', 1, b'y', None, True), frozenset({'z'}), ('slot', lock), x"
    assert told(tmp_path, code=f"await cpu.access('it', reads=[{names}], writes=[irq.resource])") == ""


def test_a_lock_whose_await_is_forgotten_is_called_by_the_name_that_was_written(tmp_path: Path) -> None:
    assert told(tmp_path, code="cpu.lock(lock)") == (
        f"only never awaits `cpu.lock(...)`, so it does nothing: write `await cpu.lock(...)` (mine.py, line {CODE})"
    )


def test_a_scenario_without_parentheses_is_told(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from stopmarker import scenario\n@scenario\ndef mine(world): pass\n")
    result = call("prove", f"{tmp_path}/mine.py")
    assert result.exit_code == 2
    assert result.stderr.endswith("MisuseError: write `@scenario()`, with parentheses (mine.py, line 2)\n")


PERMUTED = '''
from stopmarker import World, scenario

class Ring:
    def __init__(self): self.slots = []

@scenario()
def mine(world: World) -> None:
    """Of the six orders in which three push, one is bad."""
    ring = Ring()
    for number in range(3):
        async def push(cpu, number=number):
            await cpu.access("push", writes=[{name}])
            ring.slots.append(number)
        world.add_actor(f"producer {number}", push)
    world.eventually("order", lambda: "bad" if ring.slots == [2, 1, 0] else None)
'''


@pytest.mark.parametrize(("name", "exit_code"), [("ring", 7), ('("ring", ring)', 7), ('"ring"', 1)])
def test_an_object_that_each_run_makes_anew_is_no_resource(tmp_path: Path, name: str, exit_code: int) -> None:
    """Steps of earlier runs touched nothing that those of later runs did: that once held in one schedule."""
    (tmp_path / "mine.py").write_text(PERMUTED.replace("{name}", name))
    assert call("prove", f"{tmp_path}/mine.py", "-o", str(tmp_path)).exit_code == exit_code


FOREIGN = '''
from dataclasses import dataclass
from stopmarker import Cpu, World, scenario

@dataclass(frozen=True)
class Job:
    number: int = 0

@scenario()
def mine(world: World) -> None:
    """A child acts by its parent's cpu."""
    x, s, port = world.word("x"), world.spinlock("s"), world.port("jobs", Job)

    @world.actor
    async def parent(cpu: Cpu) -> None:
        async def child(own: Cpu) -> None:
            {code}
        await cpu.spawn("child", child)
'''


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("load(x, 'it')", "load it"),
        ("store(x, 1, 'it')", "store it"),
        ("load_words(x, 1, 'it')", "load it"),
        ("store_words(x, [1], 'it')", "store it"),
        ("load_apart(x, 1, [], 'it')", "it"),
        ("rmw(x, lambda n: n)", "rmw"),
        ("access('it')", "it"),
        ("note('it')", "note it = 0"),
        ("wait('it', lambda: True, reads=['it'])", "it"),
        ("poll(x, lambda n: True, 'it')", "it"),
        ("poll_words([x], lambda n: True, 'it')", "it"),
        ("choose('it', 2)", "it"),
        ("spawn('other', child)", "spawn other"),
        ("lock(s)", "lock s"),
        ("send(port, Job())", "send"),
        ("receive(port)", "receive from jobs"),
    ],
)
def test_an_actor_acts_by_its_own_cpu_alone(tmp_path: Path, code: str, what: str) -> None:
    (tmp_path / "mine.py").write_text(FOREIGN.replace("{code}", f"await cpu.{code}"))
    number = FOREIGN.splitlines().index(f"{12 * ' '}{{code}}") + 1
    assert finding(tmp_path) == (
        f"child raised MisuseError: child takes the step `{what}` of parent's cpu: each actor has its own "
        f"(mine.py, line {number})"
    )


@pytest.mark.parametrize("name", [name for name in MODULES if name not in IN_C])
def test_shipped_scenarios_name_what_is_the_same_in_every_run(name: str) -> None:
    """Whatever else they touched would be refused; the tests of verdicts would fail for other parameters."""
    found = run(of(load(name), {})).finding
    assert found is None or found.outcome is not Outcome.ERROR
