"""A model in error, or one that would end its process: the verdict's word, the exit code, and one clear line."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

import pytest

from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import StopRequest, stop_request
from tools.terminal.limits import memory_limit, parse_memory
from tools.terminal.standstill import LONGEST, NoStep, Standstill

from .runs import WORLDS
from .test_cli import call, document
from .test_processes import COMMAND, ROOT

MIXED = """
from stopmarker import Cpu, World, scenario

@scenario()
def mixed(world: World) -> None:
    '''Who comes last raises, or is seen to come last.'''
    word = world.word("word")

    @world.actor
    async def one(cpu: Cpu) -> None:
        await cpu.store(word, 1)

    @world.actor
    async def two(cpu: Cpu) -> None:
        if await cpu.load(word):
            raise KeyError("P1")

    world.eventually("two is last", lambda: None if len(world.stores[word]) > 1 else "it is not")
"""
LEAVING = """
import os, signal, subprocess, sys
from stopmarker import Cpu, World, one_of, scenario

WAYS = {
    "exit": lambda: os._exit(0),
    "abort": os.abort,
    "exec": lambda: os.execl("/bin/true", "true"),
    "fork": os.fork,
    "kill": lambda: os.kill(1, 0),
    "raise": lambda: signal.raise_signal(signal.SIGTERM),
    "ignore": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "close": lambda: os.close(1),
    "cover": lambda: os.dup2(0, 1),
    "chdir": lambda: os.chdir("/"),
}

@scenario(way=one_of(*WAYS, default="exit", meaning="how it leaves"),
          where=one_of("actor", "function", default="actor", meaning="who leaves"))
def leaving(world: World, way: str, where: str) -> None:
    if where == "function":
        WAYS[way]()

    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("begun")
        WAYS[way]()
"""
NAMES = {
    "exit": "os._exit",
    "abort": "os.abort",
    "exec": "os.execv",
    "fork": "os.fork",
    "kill": "os.kill",
    "raise": "signal.raise_signal",
    "ignore": "signal.signal",
    "close": "os.close",
    "cover": "os.dup2",
    "chdir": "os.chdir",
}


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine.py"


def test_where_both_are_found_the_violation_decides_and_both_are_told(mine: Path, tmp_path: Path) -> None:
    mine.write_text(MIXED.replace("len(world.stores[word]) > 1", "False"))
    out = ("-o", str(tmp_path / "found"))
    result = call("prove", str(mine), "--keep-going", *out)
    assert result.exit_code == Exit.VIOLATED
    assert "VIOLATED: 1 of all 2 inequivalent schedules, " in " ".join(result.stdout.split())
    assert "In error: 1 more schedule." in " ".join(result.stdout.split())
    code, report = document("prove", str(mine), "--keep-going", *out)
    assert (code, report["verdict"], report["violations"], report["errors"]) == (Exit.VIOLATED, "violated", 1, 1)
    assert sorted(one["verdict"] for one in report["findings"]) == ["error", "violated"]


@pytest.mark.parametrize("command", ["run", "fuzz", "prove", "matrix"])
def test_an_error_is_never_called_a_violation(command: str, tmp_path: Path) -> None:
    arguments = ["-o", str(tmp_path)] if command in ("fuzz", "prove") else []
    result = call(command, f"{WORLDS}::ending", "-p", "way=error", *arguments)
    assert result.exit_code == Exit.ERROR
    assert "VIOLAT" not in result.stdout.upper()
    assert "first raised ValueError: a bug in two lines" in " ".join(result.stdout.split())
    code, report = document(command, f"{WORLDS}::ending", "-p", "way=error", *arguments)
    found = report["rows"][0] if command == "matrix" else report
    assert (code, found["verdict"], found["memory"]) == (Exit.ERROR, "error", "sc")


@pytest.mark.parametrize("command", ["run", "fuzz", "prove", "matrix"])
def test_every_verdict_says_its_memory_model(command: str) -> None:
    result = call(command, "mm-pin", "-p", "pin=grab")
    assert "sequentially consistent memory, time-outs at any moment." in " ".join(result.stdout.split())


@pytest.mark.parametrize("way", NAMES)
def test_no_model_ends_or_moves_its_process(mine: Path, way: str) -> None:
    mine.write_text(LEAVING)
    code, found = document("run", str(mine), "-p", f"way={way}")
    line = next(number for number, text in enumerate(LEAVING.splitlines(), 1) if f'"{way}":' in text)
    # What is called without a line of its own is called where the actor calls it.
    line = line if "lambda" in LEAVING.splitlines()[line - 1] else len(LEAVING.splitlines())
    assert (code, found["finding"]["oracle"]) == (Exit.ERROR, "LeavesProcess")
    assert f"{NAMES[way]} at mine.py, line {line}: a model may not end, " in found["finding"]["message"]


def test_a_scenario_function_that_leaves_is_an_error_of_the_model(mine: Path) -> None:
    mine.write_text(LEAVING)
    result = call("prove", str(mine), "-p", "where=function")
    assert result.exit_code == Exit.ERROR
    assert result.stderr.startswith(f"stopmarker: build {mine}::leaving: LeavesProcess: os._exit at mine.py, line 6: ")
    mine.write_text(LEAVING.replace("os._exit(0)", "sys.exit(0)"))
    result = call("prove", str(mine), "-p", "where=function")
    assert (result.exit_code, result.stdout) == (Exit.ERROR, "")


def test_what_a_model_prints_is_no_part_of_a_document(mine: Path) -> None:
    mine.write_text(LEAVING.replace("os._exit(0)", "print('hello')"))
    result = call("run", str(mine), "--json")
    assert result.stdout.startswith("{")
    assert "hello" in result.stderr


def test_a_model_that_needs_too_much_memory_is_an_error(mine: Path) -> None:
    """In a process of its own: pytest's may hold more than the limit already."""
    mine.write_text(LEAVING.replace("os._exit(0)", "[bytearray(1 << 28) for _ in range(99)]"))
    command = [*COMMAND, "run", str(mine), "--memory-limit", "500M"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == Exit.ERROR
    assert "MemoryError" in done.stdout or "the model needs more memory than --memory-limit 500M" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_memory_limit_is_a_size_and_ends_with_its_block() -> None:
    assert (parse_memory("4G"), parse_memory("512M"), parse_memory("none")) == (4 << 30, 512 << 20, None)
    for wrong in ("", "4", "0G", "-1G", "much"):
        with pytest.raises(Refusal, match="such as 512M or 4G, or none"):
            parse_memory(wrong)
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with memory_limit(1 << 50):
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] == 1 << 50
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


class Looking:
    """Looks whether there are steps each time that a model asks for it, as if seconds passed."""

    def __init__(self, looks: int) -> None:
        self.standstill, self.looks = Standstill(), looks

    def __call__(self, frame: FrameType | None) -> None:
        for _ in range(self.looks):
            self.standstill.look(frame)


HANGING = """
import signal
from stopmarker import Cpu, World, scenario

@scenario()
def hanging(world: World) -> None:
    @world.actor
    async def only(cpu: Cpu) -> None:
        await cpu.note("begun")
        signal.raise_signal(signal.SIGUSR1)
        await cpu.note("goes on")
"""


@pytest.mark.parametrize("looks", [LONGEST, LONGEST + 1])
def test_an_actor_that_takes_no_step_is_told_after_so_many_looks(
    mine: Path, looks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine.write_text(HANGING)
    monkeypatch.setattr("tools.terminal.leaving._SIGNALS", ())
    before = signal.signal(signal.SIGUSR1, lambda _, frame: look(frame))
    look = Looking(looks)
    try:
        result = call("run", str(mine))
    finally:
        signal.signal(signal.SIGUSR1, before)
    told = "stopmarker: ERROR: only took no step for 10 s: mine.py, line 10\n"
    assert (result.exit_code, result.stderr) == ((0, "") if looks == LONGEST else (Exit.ERROR, told))


def test_no_search_is_taken_for_a_model_that_hangs() -> None:
    standstill = Standstill()
    for _ in range(2 * LONGEST):
        standstill.look(sys._getframe())
    assert not issubclass(NoStep, Exception)


def test_what_goes_on_after_a_request_is_interrupted_and_then_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[str] = []
    monkeypatch.setattr("tools.terminal.interrupt.end_hard", lambda message, code: ended.append(f"{message} {code:d}"))
    request = StopRequest()
    for number in (signal.SIGTERM, signal.SIGTERM):
        request._handle(number, None)  # job schedulers send it twice
    request._tick(signal.SIGALRM, None)
    request.requested = True
    with pytest.raises(KeyboardInterrupt):
        request._tick(signal.SIGALRM, None)
    assert ended == []
    with pytest.raises(KeyboardInterrupt):
        request._handle(signal.SIGINT, None)
    assert ended == ["interrupted; what went on did not end by itself 130"]


def test_a_request_between_two_blocks_of_a_command_is_not_lost() -> None:
    with stop_request() as outer:
        with stop_request() as inner:
            pass
        signal.raise_signal(signal.SIGINT)
        with stop_request() as inner:
            assert inner is outer
            with pytest.raises(KeyboardInterrupt):
                inner.check()


def test_nothing_of_python_s_is_changed_for_who_uses_the_library() -> None:
    code = (
        "import os, signal\nbefore = os._exit, os.kill, signal.getsignal(signal.SIGINT)\nimport stopmarker, tools.cli\n"
        "print(before == (os._exit, os.kill, signal.getsignal(signal.SIGINT)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


@pytest.mark.parametrize(("before", "code"), [("default_int_handler", 130), ("SIG_IGN", 0)])
def test_ctrl_c_while_the_command_is_imported_says_nothing(before: str, code: int) -> None:
    """Whoever started the command may ignore Ctrl-C, as a shell does for what is in the background: so does it then."""
    script = (
        f"import signal\nsignal.signal(signal.SIGINT, signal.{before})\nimport tools.entry\n"
        "signal.raise_signal(signal.SIGINT)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
