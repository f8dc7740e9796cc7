"""The command line as real processes: what it imports, Ctrl-C, a closed pipe, and the hash seed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from scenarios.catalogue import IN_C, MODULES
from tests.c.racing import needs_c

from .runs import WORLDS

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from tools.entry import main; main()"]
WALK = ("--strategy", "walk")
HEAVY = ("trio", "numpy", "msgpack", "loguru", "rich", "actors", "scenarios")


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that a signal can be sent to all of them
    )


def test_the_package_is_the_command() -> None:
    command = [sys.executable, "-m", "stopmarker", "list", "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("stopmarker: no scenario 'nowhere'")


@pytest.mark.parametrize("arguments", [["--help"], ["fuzz", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, click\nfrom tools.cli import cli\n"
        f"try: cli({arguments!r}, prog_name='stopmarker')\nexcept SystemExit: pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_rich_is_loaded_for_a_terminal_only() -> None:
    code = (
        "import sys\nfrom tools.cli import cli\n"
        f"try: cli(['fuzz', '{WORLDS}::crowd', '--schedules', '9'])\nexcept SystemExit: pass\n"
        "print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"


def test_ctrl_c_ends_a_long_hunt_with_one_line_and_no_partial_file(tmp_path: Path) -> None:
    folder = tmp_path / "found"
    hunt = start("fuzz", f"{WORLDS}::unbinding", *WALK, "--budget", "8h", "-p", "drain=full", "-o", str(folder))
    assert hunt.stderr is not None
    assert hunt.stderr.readline().startswith("schedules ")
    hunt.send_signal(signal.SIGINT)
    stdout, stderr = hunt.communicate(timeout=60)
    assert hunt.returncode == 130
    assert stdout == ""
    last = stderr.splitlines()[-1]
    assert last.startswith("stopmarker: interrupted after schedules ")
    assert "Traceback" not in stderr
    assert not folder.exists()


def test_ctrl_c_after_a_finding_keeps_its_whole_file(tmp_path: Path) -> None:
    hunt = start("fuzz", f"{WORLDS}::unbinding", *WALK, "--budget", "8h", "--keep-going", "-o", str(tmp_path))
    assert hunt.stderr is not None
    hunt.stderr.readline()
    hunt.send_signal(signal.SIGINT)
    stdout, _ = hunt.communicate(timeout=60)
    assert hunt.returncode == 130
    assert "[*] VIOLATION no-cross" in stdout
    (file,) = tmp_path.iterdir()
    replayed = start("replay", str(file))
    assert "byte for byte" in replayed.communicate(timeout=60)[0]
    assert replayed.returncode == 1


def test_a_reader_that_goes_away_is_no_error() -> None:
    shown = start("run", f"{WORLDS}::crowd")
    assert shown.stdout is not None and shown.stderr is not None
    shown.stdout.close()
    assert shown.wait(timeout=60) == 141
    assert shown.stderr.read() == ""
    shown.stderr.close()


@pytest.mark.parametrize(
    ("redirection", "code", "said"),
    [
        (">&-", 2, "stopmarker: stdout is closed, so a result has nowhere to go; `> /dev/null` drops it\n"),
        ("> /dev/full", 2, "stopmarker: write the result to stdout: No space left on device\n"),
        (">&- 2>&-", 2, ""),
        ("2>&-", 0, ""),
    ],
)
def test_a_result_that_cannot_be_written_is_no_violation(redirection: str, code: int, said: str) -> None:
    command = ["sh", "-c", f'exec "$@" {redirection}', "sh", *COMMAND, "list", "mm-pin"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, said)


DIGESTS = """
import sys, hashlib
from actors.runtime.runs.scheduler import Fifo, RandomWalk
from tools.traces.container import encode
from tools.experiments.experiment import open_experiment
from tools.traces.trace import record
for name in sys.argv[1:]:
    digest = hashlib.sha256()
    for given in [dict(item.params) for item in open_experiment(name, {}).scenario.expected] or [{}]:
        made = open_experiment(name, given)
        for scheduler in (Fifo(), RandomWalk(1), RandomWalk(2)):
            run = made.run_once(scheduler)
            digest.update(encode(record(made.recipe(run.schedule), run)))
    print(name, digest.hexdigest())
"""
OWN = (f"{WORLDS}::unbinding", f"{WORLDS}::crowd", "tests/models.py::pri_window")
NAMES = [name for name in (*MODULES, *OWN) if name not in IN_C]
GROUPS = 6


@pytest.mark.parametrize(
    "names", [*(NAMES[n::GROUPS] for n in range(GROUPS)), pytest.param(sorted(IN_C), marks=needs_c)]
)
def test_traces_do_not_depend_on_the_hash_seed(names: list[str]) -> None:
    """The double-run check: every shipped variant of every scenario, in processes that hash differently."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", DIGESTS, *names],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "4242")
    ]
    first, second, third = [run.communicate(timeout=240)[0].splitlines() for run in runs]
    assert all(run.returncode == 0 for run in runs)
    assert first == second == third
    assert len(first) == len(names)
