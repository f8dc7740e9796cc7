"""A user's file imports what lies beside it, and nobody else sees that."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from actors.runtime.runs.scheduler import Fifo
from tools.experiments.experiment import open_experiment
from tools.own_files.own_file import find, load, sources_of
from tools.searches.checkpoint import code_digest
from tools.terminal.exits import Refusal

FILE = """
{imports}
from stopmarker import Cpu, World, scenario

@scenario()
def mine(world: World) -> None:
    '''One note.'''
    async def only(cpu: Cpu) -> None:
        await cpu.note("found", {value})
    world.add_actor("only", only)
"""


def write(folder: Path, imports: str, value: str, **siblings: str) -> str:
    """`siblings` are texts by name; `my_pkg_0_inner` is the module `inner` of the package `my_pkg`."""
    for name, text in siblings.items():
        file = folder.joinpath(*name.split("_0_")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(FILE.replace("{imports}", imports).replace("{value}", value))
    return f"{folder}/mine.py"


def found(path: str) -> str:
    return open_experiment(path, {}).run_once(Fifo()).steps[0].what


CLASSES = "from dataclasses import dataclass\n@dataclass\nclass A: x: int\nX = A(3).x"
PACKAGE = {"my_pkg_0___init__": "", "my_pkg_0_inner": "from .more import X", "my_pkg_0_more": "X = 3"}
DEEP = {
    "my_pkg_0___init__": "from . import inner\nX = inner.X",
    "my_pkg_0_inner": "from .deep.er import X",
    "my_pkg_0_deep_0___init__": "",
    "my_pkg_0_deep_0_er": "from ..more import X",
    "my_pkg_0_more": "X = 3",
}
LATE = {"my_help": "def other():\n    import my_later\n    return my_later.X", "my_later": "X = 3"}


@pytest.mark.parametrize(
    ("imports", "value", "siblings"),
    [
        ("import my_help", "my_help.X", {"my_help": "X = 3"}),
        ("from my_help import X", "X", {"my_help": "from my_more import *", "my_more": "X = 3"}),
        ("from my_help import *", "X", {"my_help": CLASSES}),
        ("import my_pkg.inner", "my_pkg.inner.X", PACKAGE),
        ("from my_pkg import inner as i", "i.X", PACKAGE),
        ("from my_pkg import X", "X", DEEP),
        ("from my_space.inner import X", "X", {"my_space_0_inner": "X = 3"}),
        ("import my_help as h", "h.other()", LATE),
        ("import my_help", "my_help.X", {"my_help": "import mine\nX = 3"}),
    ],
)
def test_modules_beside_the_file_are_imported(
    tmp_path: Path, imports: str, value: str, siblings: dict[str, str]
) -> None:
    before, paths = set(sys.modules), list(sys.path)
    path = write(tmp_path, imports, value, **siblings)
    assert [found(path), found(path)] == ["note found = 3"] * 2
    assert not list(tmp_path.rglob("__pycache__")) and sys.path == paths
    assert not {name for name in set(sys.modules) - before if name.startswith("my_")}


def test_modules_of_one_name_beside_two_files_are_two(tmp_path: Path) -> None:
    paths = [write(tmp_path / f"f{n}", "import my_help", "my_help.X", my_help=f"X = {n}") for n in range(2)]
    assert [found(path) for path in (*paths, *paths)] == [f"note found = {n}" for n in (0, 1, 0, 1)]


def test_a_sibling_hides_an_installed_module_for_its_file_alone(tmp_path: Path) -> None:
    msgpack = sys.modules["msgpack"]
    assert found(write(tmp_path, "import msgpack", "msgpack.X", msgpack="X = 3")) == "note found = 3"
    assert sys.modules["msgpack"] is msgpack


@pytest.mark.parametrize("name", ["json", "hw", "tools", "stopmarker", "random"])
def test_a_sibling_hides_neither_the_standard_library_nor_ours(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"import {name}", f"hasattr({name}, 'NEVER')", **{name: "NEVER = 1"})
    assert find(tmp_path, name) is None
    assert found(path) == "note found = False"


@pytest.mark.parametrize(
    ("sibling", "message"),
    [
        ("x = [][1]", r"^load .*mine.py: IndexError: list index out of range \(my_help.py, line 1\)$"),
        ("def broken(:", r"^load .*mine.py: SyntaxError: .* \(my_help.py, line 1\)$"),
        ("from . import x", r"^load .*mine.py: ImportError: attempted relative import with no known parent"),
        ("import time; time.time()", r"^load .*mine.py: UndeterminedCall: time.time at my_help.py, line 1 looks at a"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_sibling_is_said_with_its_line(tmp_path: Path, sibling: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        load(write(tmp_path, "\nimport my_help", "0", my_help=sibling))


def test_a_sibling_that_was_changed_is_read_again_and_counts_as_code(tmp_path: Path) -> None:
    path = write(tmp_path, "from my_help import X", "X", my_help="from my_more import X", my_more="X = 3")
    digest = code_digest(f"{path}::mine")
    assert [file.name for file in sources_of(path)] == ["mine.py", "my_help.py", "my_more.py"]
    assert found(path) == "note found = 3"
    (tmp_path / "my_more.py").write_text("X = 4")
    assert found(path) == "note found = 4"
    assert code_digest(f"{path}::mine") != digest


def test_a_file_that_was_not_changed_is_executed_once(tmp_path: Path) -> None:
    path = write(tmp_path, "", "0")
    assert load(path).module is load(path).module


RECORD = """
from stopmarker import Cpu, Parameters, World, number, one_of, scenario

class Mine(Parameters):
    '''What there is.'''
    word = one_of("a", "b", default="a", meaning="which word")
    times = number(1, 2, default=2, meaning="how often")

SEEN = []

@scenario(Mine)
def mine(world: World, given: Mine) -> None:
    '''Some notes.'''
    SEEN.append(given)
    async def only(cpu: Cpu) -> None:
        for _ in range(given.times):
            await cpu.note("found", f"{given.word}{len(SEEN)}")
    world.add_actor("only", only)
"""


def test_a_file_may_declare_a_record_of_parameters(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(RECORD)
    experiment = open_experiment(str(path), {"word": "b"})
    assert experiment.params == {"word": "b", "times": 2}
    runs = [experiment.run_once(Fifo()) for _ in range(2)]
    assert [[step.what for step in run.steps] for run in runs] == [["note found = b1"] * 2] * 2
