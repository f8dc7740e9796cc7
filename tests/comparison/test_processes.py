"""Random programs proved by real processes: on two workers, and killed and continued."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools.experiments.terms import Terms
from tools.explore import search
from tools.searches import checkpoint, proof, prover
from tools.searches.proof import Proof
from tools.terminal.interrupt import StopRequest

from .enumeration import Classes, Everything, enumerate_all
from .scenario import program
from .searched import FOREVER, SCENARIO

ROOT = Path(__file__).parents[2]
SEEDS = (55, 242, 249)
KILLED = """
import os, signal, sys
from tools.searches import checkpoint, proof, prover
from tools.explore import search
from tools.terminal.interrupt import StopRequest
from tools.searches.proof import Proof
from tools.experiments.terms import Terms
from pathlib import Path

scenario, seed, writes, path = sys.argv[1:]
proof.TURN = prover.TURN = proof.CHECKPOINT_EVERY = 0.0
search.BREATH = 1
left, write = int(writes), checkpoint.write

def write_or_die(*arguments):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    write(*arguments)

checkpoint.write = write_or_die
made = Proof(Terms(scenario, (("seed", int(seed)),), keep_going=True), path=Path(path))
made.run(600.0, 1, lambda report: None, StopRequest())
"""
"""A proof that writes a checkpoint after every schedule, and is killed when it has written so many."""


def everything_of(seed: int) -> Everything:
    return enumerate_all(program(seed), Classes(), 10_000)


def assert_same(made: Proof, everything: Everything) -> None:
    """Each class once, and what fails in them."""
    report = made.report
    assert (report.schedules, report.failing) == (len(everything.ends), len(everything.failures))
    assert report.complete
    assert made.verdict == everything.verdict
    assert set(report.found) <= set(everything.first_failure)


@pytest.mark.parametrize("seed", SEEDS)
def test_two_workers_see_each_class_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """They give work back after every schedule, should the other have none."""
    monkeypatch.setattr(prover, "SHORT_TURN", 0.0)
    monkeypatch.setattr(proof, "TURN", 0.0)
    monkeypatch.setattr(search, "BREATH", 1)
    made = Proof(Terms(SCENARIO, (("seed", seed),), keep_going=True))
    made.run(FOREVER, 2, lambda report: None, StopRequest())
    assert_same(made, everything_of(seed))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("writes", [2, 7])
def test_a_killed_proof_goes_on_to_each_class_once(seed: int, writes: int, tmp_path: Path) -> None:
    file = tmp_path / "proof"
    killed = subprocess.run([sys.executable, "-c", KILLED, SCENARIO, str(seed), str(writes), str(file)], cwd=ROOT)
    assert killed.returncode == -signal.SIGKILL
    terms, share, report, _ = checkpoint.read(file)
    assert report.schedules == writes - 1  # the first was written before all
    made = Proof(terms, share, report)
    made.run(FOREVER, 1, lambda report: None, StopRequest())
    assert_same(made, everything_of(seed))
