"""While a world runs nobody draws, looks at a clock or at an address; everybody else may."""

from __future__ import annotations

import datetime
import random
import time
import uuid
from multiprocessing.sharedctypes import RawArray
from pathlib import Path

import pytest
import trio

from actors.runtime.primitives.events import Outcome
from actors.runtime.runs.scheduler import Fifo
from tools.experiments.experiment import Experiment, open_experiment
from tools.terminal.exits import Refusal

FILE = """
import _thread, datetime as dates, os, pathlib, random, secrets, socket, sqlite3, subprocess, threading, time, uuid
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic as now
import numpy as np
import trio
from stopmarker import Cpu, World, scenario

@dataclass(frozen=True)
class Named:
    name: str
    number: int = 1

@dataclass(frozen=True)
class Numbered:
    number: int

@scenario()
def mine(world: World) -> None:
    '''One actor.'''
    w = world.word("w")
    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.load(w)
        {code}
        await cpu.note("done")
"""
LINE = 26
DRAWS = (
    "draws: a run is a function of scenario, parameters and schedule; use cpu.choose for what is open, or random.Random"
)
CLOCK = "looks at a clock: a run is a function of scenario, parameters and schedule; a time-out is a choice, so use"


def mine(folder: Path, code: str) -> Experiment:
    (folder / "mine.py").write_text(FILE.replace("{code}", code))
    return open_experiment(f"{folder}/mine.py::mine", {})


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("random.random()", f"random.random at mine.py, line {LINE} {DRAWS}"),
        ("random.shuffle([1, 2])", f"random.shuffle at mine.py, line {LINE} {DRAWS}"),
        ("random.seed()", f"random.seed at mine.py, line {LINE} {DRAWS}"),
        ("random.Random()", f"random.Random at mine.py, line {LINE} {DRAWS}"),
        ("random.SystemRandom().choice([1, 2])", f"random.SystemRandom.getrandbits at mine.py, line {LINE} {DRAWS}"),
        ("secrets.token_hex()", f"secrets.token_hex at mine.py, line {LINE} {DRAWS}"),
        ("os.urandom(2)", f"os.urandom at mine.py, line {LINE} {DRAWS}"),
        ("uuid.uuid4()", f"uuid.uuid4 at mine.py, line {LINE} {DRAWS}"),
        ("uuid.uuid1()", f"uuid.uuid1 at mine.py, line {LINE} {DRAWS}"),
        ("np.random.rand()", f"numpy.random.rand at mine.py, line {LINE} {DRAWS}"),
        ("np.random.default_rng()", f"a generator of numpy.random without a seed at mine.py, line {LINE} {DRAWS}"),
        ("np.random.RandomState()", f"a generator of numpy.random without a seed at mine.py, line {LINE} {DRAWS}"),
        *[
            (f"time.{name}()", f"time.{name} at mine.py, line {LINE} {CLOCK}")
            for kind in ("time", "monotonic", "perf_counter", "process_time", "thread_time")
            for name in (kind, f"{kind}_ns")
        ],
        ("time.sleep(0)", f"time.sleep at mine.py, line {LINE} {CLOCK}"),
        ("time.localtime()", f"time.localtime at mine.py, line {LINE} {CLOCK}"),
        ("time.strftime('%s')", f"time.strftime at mine.py, line {LINE} {CLOCK}"),
        ("now()", f"time.monotonic at mine.py, line {LINE} {CLOCK}"),
        ("datetime.now()", f"datetime.datetime.now() at mine.py, line {LINE} {CLOCK}"),
        ("dates.datetime.utcnow()", f"datetime.datetime.utcnow() at mine.py, line {LINE} {CLOCK}"),
        ("date.today()", f"datetime.date.today() at mine.py, line {LINE} {CLOCK}"),
        ("trio.current_time()", f"trio.current_time at mine.py, line {LINE} {CLOCK}"),
        ("os.getpid()", f"os.getpid at mine.py, line {LINE} is another in every process: a run is a function of"),
        ("threading.Thread(target=print).start()", f"threading.Thread.start at mine.py, line {LINE} starts a thread"),
        ("_thread.start_new_thread(print, ())", f"_thread.start_new_thread at mine.py, line {LINE} starts a thread"),
        ("subprocess.run(['true'])", f"subprocess.Popen at mine.py, line {LINE} runs another program: a run is a"),
        ("os.system('true')", f"os.system at mine.py, line {LINE} runs another program"),
        (
            "os.environ['X_Y'] = '1'",
            f"os.environ: a change of X_Y at mine.py, line {LINE} changes what outlives the run",
        ),
        ("os.environ.pop('PATH')", f"os.environ: a change of PATH at mine.py, line {LINE} changes what outlives the"),
        ("open('x.tmp', 'w')", f"open of x.tmp for writing at mine.py, line {LINE} changes what outlives the run"),
        ("open('x.tmp', 'a+b')", f"open of x.tmp for writing at mine.py, line {LINE} changes what outlives the run"),
        ("os.open('x.tmp', os.O_RDWR)", f"open of x.tmp for writing at mine.py, line {LINE} changes what outlives the"),
        (
            "pathlib.Path('x.tmp').touch()",
            f"os.utime of x.tmp at mine.py, line {LINE} changes what outlives the",
        ),
        ("os.remove('x.tmp')", f"os.remove of x.tmp at mine.py, line {LINE} changes what outlives the run"),
        ("os.rename('x.tmp', 'y')", f"os.rename of x.tmp at mine.py, line {LINE} changes what outlives the run"),
        ("os.mkdir('x.tmp')", f"os.mkdir of x.tmp at mine.py, line {LINE} changes what outlives the run"),
        ("socket.socket()", f"socket.__new__ at mine.py, line {LINE} changes what outlives the run"),
        ("sqlite3.connect('x.tmp')", f"sqlite3.connect of x.tmp at mine.py, line {LINE} changes what outlives the run"),
        ("id(w)", f"id() at mine.py, line {LINE} gives an address: a run is a function of"),
        ("hash('a')", f"hash() of str at mine.py, line {LINE} differs from process to process: a run is a function of"),
        ("hash((1, b'a'))", f"hash() of bytes at mine.py, line {LINE} differs"),
        ("hash(object())", f"hash() of object at mine.py, line {LINE} differs"),
        ("hash(Named('a'))", f"hash() of str at mine.py, line {LINE} differs"),
        ("(lambda: [random.random() for _ in '1'])()", f"random.random at mine.py, line {LINE} {DRAWS}"),
    ],
)
def test_what_no_schedule_decides_is_the_runs_error_with_its_line(tmp_path: Path, code: str, message: str) -> None:
    finding = mine(tmp_path, code).run_once(Fifo()).finding
    assert finding is not None
    assert (finding.outcome, finding.oracle) == (Outcome.ERROR, "UndeterminedCall")
    assert finding.message.startswith(f"only raised UndeterminedCall: {message}")


@pytest.mark.parametrize(
    "code",
    [
        "assert random.Random(7).randrange(100) == 41",
        "assert np.random.default_rng(7).integers(100) == 94",
        "hash((1, 2.5, Numbered(3)))",
        "assert len({Named('a'): 1, Named('b'): 2}) == 2",
        "assert datetime(2017, 3, 1) == dates.datetime(2017, 3, 1) and isinstance(datetime(2017, 3, 1), date)",
        "assert pathlib.Path(__file__).read_text() and os.environ['PATH']",
        "assert time.gmtime(0).tm_year == 1970",
        "import logging; logging.getLogger('x').warning('x')",
    ],
)
def test_what_is_the_same_in_every_run_is_allowed(tmp_path: Path, code: str) -> None:
    assert mine(tmp_path, code).run_once(Fifo()).outcome is Outcome.QUIET


def test_shared_memory_may_be_collected_while_a_world_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory of an earlier experiment with threads once made a world's own line the one that asks for the process."""
    held = [RawArray("b", 8)]
    monkeypatch.setattr(uuid, "held", held, raising=False)
    assert mine(tmp_path, "uuid.held.clear()").run_once(Fifo()).outcome is Outcome.QUIET
    assert not held


@pytest.mark.parametrize(
    "property_", ["always('p', lambda note: note.value < now())", "eventually('p', random.random)"]
)
def test_a_property_may_not_draw(tmp_path: Path, property_: str) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace("{code}", "pass") + f"    world.{property_}\n")
    run = open_experiment(f"{tmp_path}/mine.py::mine", {}).run_once(Fifo())
    assert run.finding is not None and run.finding.oracle == "UndeterminedCall"


def test_a_condition_may_not_draw(tmp_path: Path) -> None:
    code = "await cpu.wait('x', lambda: random.random() < 2, reads=[('word', w)])"
    run = mine(tmp_path, code).run_once(Fifo())
    assert run.outcome is Outcome.ERROR and run.finding is not None
    assert run.finding.message.startswith(f"only raised UndeterminedCall: random.random at mine.py, line {LINE} draws")
    assert run.finding.message.endswith("or random.Random with a seed")


def test_whoever_swallows_the_refusal_is_told_all_the_same(tmp_path: Path) -> None:
    code = "try: time.time()\n        except BaseException: pass"
    run = mine(tmp_path, code).run_once(Fifo())
    assert run.outcome is Outcome.ERROR and run.finding is not None
    assert run.finding.message.startswith(f"UndeterminedCall: time.time at mine.py, line {LINE} looks at a clock")


@pytest.mark.parametrize("code", ["NOW = time.time()", "RNG = random.Random()", "x = hash('a')", "class A: x = id(1)"])
def test_a_file_may_not_draw_when_it_is_loaded(tmp_path: Path, code: str) -> None:
    (tmp_path / "mine.py").write_text(f"import random, time\n{code}")
    with pytest.raises(Refusal, match=r"^load .*mine.py: UndeterminedCall: .* at mine.py, line \d .*"):
        open_experiment(f"{tmp_path}/mine.py::mine", {})


def test_a_world_may_not_be_built_by_chance(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(FILE.replace('world.word("w")', 'world.word("w", random.getrandbits(3))'))
    with pytest.raises(
        Refusal, match=rf"^build .*: UndeterminedCall: random.getrandbits at mine.py, line {LINE - 4} draws"
    ):
        open_experiment(f"{tmp_path}/mine.py::mine", {}).world()


async def test_other_code_in_the_same_process_is_not_disturbed(tmp_path: Path) -> None:
    mine(tmp_path, "pass")
    assert 0 <= random.random() < 1 and random.Random().random() < 1
    assert uuid.uuid4() != uuid.uuid4() and time.time() > 0 and trio.current_time() >= 0
    assert type(datetime.datetime.now()) is datetime.datetime
    await trio.sleep(0)
