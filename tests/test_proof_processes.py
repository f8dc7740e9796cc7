"""Proofs as real processes: killed and continued, interrupted, and workers that do not outlive their parent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tools.experiments.terms import Terms
from tools.searches import checkpoint
from tools.searches.proof import Proof
from tools.searches.prover import Wanted, workers
from tools.terminal.exits import Unfinished
from tools.terminal.interrupt import StopRequest

from .tools.runs import WORLDS

ROOT = Path(__file__).parents[1]
IMPATIENT = """
import tools.searches.proof, tools.searches.prover, tools.terminal.progress
tools.searches.proof.TURN = tools.searches.prover.SHORT_TURN = tools.searches.proof.CHECKPOINT_EVERY = 0.0
tools.terminal.progress._SECONDS_BETWEEN_LINES = 0.0
from tools.cli import main
main()
"""
"""The command line with a checkpoint, and a line of progress, after every few hundred schedules."""


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", IMPATIENT, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def progressed(process: subprocess.Popen[str], lines: int) -> None:
    """Wait until the process has reported so often."""
    assert process.stderr is not None
    for _ in range(lines):
        assert process.stderr.readline().startswith("schedules ")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_proof_is_continued_to_the_same_total(tmp_path: Path, jobs: str) -> None:
    """All ends of the pipe are closed after the kill: no worker stays behind."""
    file, out = tmp_path / "proof", str(tmp_path / "found")
    killed = start("prove", f"{WORLDS}::writers", "-p", "n=7", "-j", jobs, "--checkpoint", str(file), "-o", out)
    progressed(killed, 6)
    killed.kill()
    assert killed.communicate(timeout=60)[0] == ""
    resumed = start("prove", "--resume", str(file), "--json", "-o", out)
    progressed(resumed, 1)
    stdout, _ = resumed.communicate(timeout=60)
    proof = json.loads(stdout)
    assert (resumed.returncode, proof["verdict"], proof["traces"], proof["steps"]) == (0, "holds", 5_040, 35_280)


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM])
def test_a_request_to_stop_says_how_far_it_got_and_how_to_go_on(
    tmp_path: Path, jobs: str, request_to_stop: signal.Signals
) -> None:
    file = tmp_path / "proof"
    proof = start("prove", f"{WORLDS}::writers", "-p", "n=9", "-j", jobs, "--checkpoint", str(file))
    progressed(proof, 3)
    os.killpg(proof.pid, request_to_stop)
    stdout, stderr = proof.communicate(timeout=60)
    assert proof.returncode == 130
    assert stdout.startswith("NOT FOUND, and not proved: it was interrupted after ")
    assert stdout.splitlines()[-1] == f"Continue: stopmarker prove --resume {file}"
    assert stderr.splitlines()[-1].startswith("stopmarker: interrupted after ")
    assert "Traceback" not in stderr


def test_a_pool_that_breaks_while_work_is_handed_out_loses_none_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls, file = count(), tmp_path / "proof"

    @contextmanager
    def fragile(jobs: int, wanted: Wanted) -> Iterator[Callable[..., Any]]:
        with workers(jobs, wanted) as submit:

            def broken(*arguments: Any) -> Any:
                if next(calls) == 3:
                    raise BrokenProcessPool
                return submit(*arguments)

            yield broken

    terms = Terms(f"{WORLDS}::writers", (("n", 7),))
    with monkeypatch.context() as patched, pytest.raises(Unfinished, match=f"continue with --resume {file}"):
        patched.setattr("tools.searches.proof.TURN", 0.02)
        patched.setattr("tools.searches.proof.workers", fragile)
        Proof(terms, path=file).run(60.0, 2, lambda _: None, StopRequest())
    saved = checkpoint.read(file)
    again = Proof(saved.terms, saved.share, saved.report)
    again.run(60.0, 1, lambda _: None, StopRequest())
    assert (again.verdict, again.report.schedules) == ("holds", 5_040)


SLOW = """
from stopmarker import Cpu, World, number, scenario

@scenario(n=number(1, 9, default=6, meaning="how many actors"))
def slow_to_shrink(world: World, n: int) -> None:
    '''The last of n writers fails; nothing smaller than 6 does, and this is said when shrinking begins.'''
    word = world.word("word")

    def member(position: int) -> None:
        async def act(cpu: Cpu) -> None:
            for _ in range(4):
                before = await cpu.load(word)
                await cpu.store(word, before + 1)
        world.add_actor(f"writer_{position}", act)

    for position in range(n):
        member(position)

    def lost() -> str | None:
        return "an increment was lost" if world.memory.read(word) != 4 * n else None

    world.eventually("nothing is lost", lost)
"""
STOPPED_WHILE_SHRINKING = """
import os, signal
from tools.findings import shrinking
whole = shrinking.shrink_schedule
def begin(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    return whole(*arguments)
shrinking.shrink_schedule = begin
from tools.cli import main
main()
"""


@pytest.mark.parametrize("command", ["fuzz", "prove"])
def test_ctrl_c_while_shrinking_keeps_the_finding_as_it_is(tmp_path: Path, command: str) -> None:
    mine, out = tmp_path / "mine.py", tmp_path / "found"
    mine.write_text(SLOW)
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_WHILE_SHRINKING, command, str(mine), "-o", str(out)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 130
    assert "[*] VIOLATION nothing is lost: an increment was lost" in done.stdout
    assert "Shrunk in 0 replays, until interrupted." in done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("stopmarker: interrupted after ")
    (file,) = out.iterdir()
    again = subprocess.run([sys.executable, "-c", IMPATIENT, "replay", str(file)], cwd=ROOT, capture_output=True)
    assert again.returncode == 1
