"""No state of a user's modules outlives a run: the first run and the hundredth are the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.runtime.primitives.events import Note
from actors.runtime.runs.scheduler import Fifo
from tools.experiments.experiment import Experiment, open_experiment
from tools.own_files.own_file import load
from tools.terminal.exits import ModelError

FILE = """
import array, collections, contextvars, enum, functools, itertools, random, types
from dataclasses import dataclass, field
import numpy as np
from stopmarker import Cpu, Memory, World, scenario

class Thing:
    made = 0
    def __init__(self):
        self.seen = []

class Slotted:
    __slots__ = ("later", "n", "__hidden")
    def __init__(self):
        self.n = self.__hidden = 0
    def up(self):
        self.n += 1
        self.__hidden += self.n
        return self.__hidden

def counter():
    n = 0
    def look():
        return n
    def up():
        nonlocal n
        n += 1
        return look()
    return up

{top}

@scenario()
def mine(world: World) -> None:
    '''Notes what it finds.'''
    {code}
    async def only(cpu: Cpu) -> None:
        await cpu.note("found", found)
    world.add_actor("only", only)
"""


def values(experiment: Experiment, runs: int) -> list[object]:
    found: list[object] = []
    for _ in range(runs):
        (event,) = [event for _, _, event in experiment.run_once(Fifo()).world.events]
        assert isinstance(event, Note)
        found.append(event.value)
    return found


def mine(folder: Path, top: str, code: str) -> Experiment:
    (folder / "mine.py").write_text(FILE.replace("{top}", top).replace("{code}", code))
    return open_experiment(f"{folder}/mine.py::mine", {})


@pytest.mark.parametrize(
    ("top", "code", "value"),
    [
        ("X = []", "X.append(1); found = len(X)", 1),
        ("X = [[]]", "X[0].append(1); found = len(X[0])", 1),
        ("X = {1: 2}", "X[len(X)] = 3; found = len(X)", 1),
        ("X = {}", "X[len(X)] = 3; found = len(X)", 1),
        ("X = collections.defaultdict(list)", "X['a'].append(1); found = len(X['a'])", 1),
        ("X = collections.OrderedDict(a=1)", "X['b'] = 1; X.move_to_end('a'); found = ''.join(X)", "ba"),
        ("X = collections.Counter()", "X['a'] += 1; found = X['a']", 1),
        ("X = {3}", "X.add(len(X)); found = len(X)", 2),
        ("X = collections.deque([1], 5)", "X.append(1); found = len(X)", 2),
        ("X = bytearray(b'a')", "X.extend(b'b'); found = len(X)", 2),
        ("X = array.array('i', [1])", "X.append(1); found = len(X)", 2),
        ("X = np.zeros(2)", "X[0] += 1; found = int(X[0])", 1),
        ("X = 0", "global X; X += 1; found = X", 1),
        ("X = 0", "globals()['Y'] = globals().get('Y', 0) + 1; found = Y", 1),
        ("X = 5", "global X; found = X; del X", 5),
        ("", "Thing.made += 1; found = Thing.made", 1),
        ("", "Thing.more = getattr(Thing, 'more', 0) + 1; found = Thing.more", 1),
        ("X = Thing()", "X.seen.append(1); found = len(X.seen)", 1),
        ("X = Thing()", "X.more = getattr(X, 'more', 0) + 1; found = X.more", 1),
        ("X = Slotted()", "found = X.up()", 1),
        ("X = Slotted()", "found = int(hasattr(X, 'later')); X.later = 1", 0),
        ("X = types.SimpleNamespace(n=0)", "X.n += 1; found = X.n", 1),
        ("def f(x=[]): x.append(1); return len(x)", "found = f()", 1),
        ("def f(*, x={}): x[len(x)] = 1; return len(x)", "found = f()", 1),
        ("def f(x=itertools.count(3)): return next(x)", "found = f()", 3),
        ("def f(): f.n = getattr(f, 'n', 0) + 1; return f.n", "found = f()", 1),
        ("X = counter()", "found = X()", 1),
        ("calls = []\n@functools.cache\ndef f(): calls.append(1); return len(calls)", "found = f()", 1),
        ("X = itertools.count(); Y = [X]", "next(X); found = next(Y[0])", 1),
        ("X = iter([1, 2, 3])", "found = next(X)", 1),
        ("X = functools.partial(counter()); Y = X", "found = Y()", 1),
        ("X = random.Random(7)", "found = X.randrange(100)", 41),
        ("X = np.random.default_rng(7)", "found = int(X.integers(100))", 94),
        ("class Kind(enum.Enum): A = 1\nKind.A.n = 0", "Kind.A.n += 1; found = Kind.A.n", 1),
        ("class Kind(enum.Enum): A = 1", "Kind.A.more = getattr(Kind.A, 'more', 0) + 1; found = Kind.A.more", 1),
        ("class Kind(enum.Enum): A = []", "Kind.A.value.append(1); found = len(Kind.A.value)", 1),
        ("X = contextvars.ContextVar('x', default=0)", "X.set(X.get() + 1); found = X.get()", 1),
        ("X = open(__file__)", "found = len(X.readline() + X.readline())", 83),
        ("X = Memory(1)", "X.write(8, X.read(8) + 1); found = X.read(8)", 1),
    ],
)
def test_modules_are_as_loaded_before_each_run(tmp_path: Path, top: str, code: str, value: object) -> None:
    assert values(mine(tmp_path, top, code), 3) == [value, value, value]


def test_objects_keep_their_identity_and_classes_are_made_once(tmp_path: Path) -> None:
    experiment = mine(tmp_path, "X = []; Y = X", "X.append(1); found = int(X is Y) + len(Y)")
    module = load(f"{tmp_path}/mine.py").module
    kind, box = vars(module)["Thing"], vars(module)["X"]
    assert values(experiment, 2) == [2, 2]
    assert vars(module)["Thing"] is kind and vars(module)["X"] is box


@pytest.mark.parametrize(
    ("top", "lost"),
    [
        ("X = (itertools.count(),)", ["X (count)"]),
        ("X = []", []),
    ],
)
def test_what_cannot_be_put_back_is_known_by_name(tmp_path: Path, top: str, lost: list[str]) -> None:
    mine(tmp_path, top, "found = 1")
    assert load(f"{tmp_path}/mine.py").state.lost == lost


@pytest.mark.parametrize(
    ("top", "code"),
    [
        ("X = (n for n in range(9))", "found = next(X)"),
        ("X = [(n for n in range(9))]", "found = X[0].send(None)"),
        ("X = (n for n in range(9))\ndef f(x=X): return [n for n in x]", "found = f()"),
    ],
)
def test_a_generator_of_the_module_is_refused_to_a_run(tmp_path: Path, top: str, code: str) -> None:
    with pytest.raises(ModelError, match=r"a generator of the module, at mine\.py, line .* goes on from run to run"):
        values(mine(tmp_path, top, code), 1)


def test_a_generator_that_a_run_went_on_with_all_the_same_is_refused_before_the_next(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"X, a generator of the module, goes on from run to run"):
        values(mine(tmp_path, "X = ((n for n in range(9)),)", "found = next(X[0])"), 2)


def test_a_module_that_binds_nothing_has_nothing_to_be_compared(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from stopmarker import scenario\n\n@scenario()\ndef mine(world): pass\n")
    state = load(f"{tmp_path}/mine.py").state
    assert (state.lost, state.checked) == ([], 0)
