"""What a user of C sees: errors in one line, values that come back, processes that agree, races on a command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from actors.c import compiler as compiling
from actors.c import elf
from actors.c.errors import CompileError
from actors.c.module import Code
from actors.runtime.world import Session, World
from tools.cli import cli

from .racing import module, needs_c

PUT = """static int users, frees;
void setup(int count) { users = count; }
int check(void) { return frees != 1; }
void put(void) { int left = users; users = left - 1; if (left == 1) frees++; }
"""


def loaded(folder: Path, source: str) -> Code:
    return module(folder, source).load(World(Session()))


def said(*words: str) -> Result:
    return CliRunner().invoke(cli, [*words])


@needs_c
def test_what_a_function_returns_has_its_type(tmp_path: Path) -> None:
    code = loaded(
        tmp_path,
        "int negative(void) { return -12; } unsigned char small(int a, int b) { return a * b; }\n"
        "void nothing(void) { } unsigned long large(unsigned long x) { return x; }\n"
        "long six(long a, long b, long c, long d, long e, long f) { return a - b + c - d + e - f; }\n"
        "short variable = 7;",
    )
    assert code.call("negative") == -12
    assert code.call("small", 20, 20) == 400 % 256
    assert code.call("nothing") == 0
    assert code.call("large", -1) == 2**64 - 1
    assert code.call("six", 10, 1, 100, 2, 1000, 3) == 10 - 1 + 100 - 2 + 1000 - 3
    assert code.value("variable") == 7
    assert (code.has("variable"), code.has("constant")) == (True, False)


@needs_c
def test_each_world_has_its_statics_as_they_were_linked(tmp_path: Path) -> None:
    code = module(tmp_path, "int x = 3, y; int more(void) { y++; return ++x; }")
    session = Session()
    assert [code.load(World(session)).call("more") for _ in range(3)] == [4, 4, 4]
    assert code.load(World(session)).value("y") == 0


REFUSED = [
    ("int f(void) { return 1 }\n", r"compile race.c: {file}:1:23: error: expected ';' before '}}' token"),
    ('#include "none.h"\n', r"preprocess race.c: {file}:1:10: fatal error: none.h: No such file or directory"),
    ("int g(int a) {\n\n __asm__ volatile(\"movl %%fs:0, %0\" : \"=r\"(a));\n return a; }",
     "instrument race.c:3: movl %fs:0: a segment is not supported"),
    ("long x; void f(long n) {\n __asm__ volatile(\"btsq %1, %0\" : \"+m\"(x) : \"r\"(n)); }",
     "instrument race.c:2: btsq %rdi, x(%rip): the bit's number says which word it touches"),
    ("void *buf[5]; void f(void) {\n __builtin_longjmp(buf, 1); }",
     "instrument race.c:2: longjmp leaves the function"),
    ("long x; void f(void) {\n __asm__ volatile(\"fldl %0\" : \"+m\"(x)); }",
     "instrument race.c:2: fldl: it is not known what it does with memory"),
]  # fmt: skip


@needs_c
@pytest.mark.parametrize(("source", "message"), REFUSED)
def test_c_that_cannot_be_run_is_refused_in_one_line(tmp_path: Path, source: str, message: str) -> None:
    with pytest.raises(CompileError) as refused:
        loaded(tmp_path, source)
    assert str(refused.value) == message.format(file=tmp_path / "race.c")


@needs_c
@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("puts", (), "find puts: the C files define no such function or variable; did you mean put?"),
        ("put", (1, 2, 3, 4, 5, 6, 7), "call put: 7 arguments, allowed are 6"),
    ],
)
def test_what_is_not_there_cannot_be_called(
    tmp_path: Path, name: str, arguments: tuple[int, ...], message: str
) -> None:
    with pytest.raises(CompileError) as refused:
        loaded(tmp_path, PUT).call(name, *arguments)
    assert str(refused.value) == message


@needs_c
def test_a_work_queue_that_nobody_allocated_has_no_worker(tmp_path: Path) -> None:
    with pytest.raises(CompileError) as refused:
        loaded(tmp_path, PUT).worker("iopf_wq")
    assert str(refused.value) == (
        "serve work queue iopf_wq: no alloc_workqueue of that name was called before, or it has a worker already"
    )


def test_without_a_compiler_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(compiling, "system", lambda: "Linux")
    monkeypatch.setattr(compiling, "machine", lambda: "x86_64")
    message = "find a C compiler: none of cc, gcc, clang is installed; C scenarios need one, all others do not"
    assert compiling.why_not() == message
    result = said("prove", "c-reference")
    assert (result.exit_code, result.stderr) == (2, f"stopmarker: c-reference: {message}\n")


def test_on_another_machine_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "system", lambda: "Darwin")
    monkeypatch.setattr(compiling, "machine", lambda: "arm64")
    assert compiling.why_not() == ("run C as actors on Darwin arm64: Linux on x86_64 is the only platform so far")


def test_without_the_extra_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elf, "ELFFile", None)
    with pytest.raises(CompileError) as refused:
        elf.require()
    assert str(refused.value) == ("look into C: pyelftools is not installed; `pip install 'stopmarker[c]'` brings it")


@needs_c
def test_a_race_can_stand_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("driver.c").write_text(PUT)
    race = ("driver.c", "--setup", "setup:2", "--thread", "put", "--thread", "put", "--check", "check")
    result = said("prove", *race)
    assert result.exit_code == 1
    assert "[*] VIOLATION check: check returns 1 at the end (step 3)" in result.stdout
    (trace,) = Path("findings").iterdir()
    result = said("replay", str(trace))
    assert "identical to the recording, byte for byte" in result.stdout
    Path("driver.c").write_text(
        PUT.replace("int left = users; users = left - 1;", "int left = __atomic_fetch_sub(&users, 1, 5);")
    )
    result = said("prove", *race)
    assert result.exit_code == 0
    assert "HOLDS: all 2 inequivalent schedules, 8 steps" in result.stdout


@needs_c
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["driver.c"], "driver.c: no function is an actor; name at least one, such as --thread report_fault:1,7"),
        (["driver.c", "--thread", "puts"], "driver.c::thread=puts: find puts: the C files define no such function or "
         "variable; did you mean put?"),
        (["driver.c", "--thread", "put:x"], "part 'thread=put:x' of a race in C: its arguments are numbers, such as "
         "7 or 0x10"),
        (["other.c", "--thread", "put"], "read other.c: No such file or directory"),
        (["driver.c", "--thread", "put", "--worker", "wq"], "driver.c::thread=put;worker=wq: serve work queue wq: no "
         "alloc_workqueue of that name was called before, or it has a worker already"),
    ],
)  # fmt: skip
def test_a_race_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("driver.c").write_text(PUT)
    result = said("prove", *words)
    assert (result.exit_code, result.stderr) == (2, f"stopmarker: {message}\n")


def test_only_a_file_of_c_has_threads_on_the_command_line() -> None:
    result = said("prove", "unbind-window", "--thread", "put")
    assert result.exit_code == 2
    assert "--after, --check are for a file of C, found 'unbind-window'" in " ".join(result.stderr.split())


@needs_c
def test_a_trace_of_changed_c_is_a_strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the file, whose content is another by now: nobody has looked at that."""
    monkeypatch.chdir(tmp_path)
    Path("driver.c").write_text('#include "put.h"\n')
    Path("put.h").write_text(PUT)
    said("prove", "driver.c", "--setup", "setup:2", "--thread", "put", "--thread", "put", "--check", "check")
    (trace,) = Path("findings").iterdir()
    Path("put.h").write_text(PUT + "\n")
    result = said("replay", str(trace))
    assert (result.exit_code, result.stderr) == (
        2,
        f"stopmarker: {trace} would run driver.c, which you have not run before as it is now: look at it, then add "
        "--trust\n",
    )


@needs_c
def test_two_processes_record_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        subprocess.run(
            [
                sys.executable,
                "-c",
                "from tools.entry import main; main()",
                "prove",
                "c-fault-queue",
                "-o",
                str(tmp_path / name),
            ],
            check=False,
            capture_output=True,
        )
    (one,), (other,) = ([*(tmp_path / name).iterdir()] for name in ("one", "other"))
    assert one.name == other.name
    assert one.read_bytes() == other.read_bytes()
