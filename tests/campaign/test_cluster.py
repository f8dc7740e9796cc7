"""The Dask engine: a scheduler and two workers as processes of their own, one of them killed; the same findings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tools.campaign.cells import CANARY, Shard
from tools.campaign.cluster import Cluster
from tools.campaign.conduct import make_engine
from tools.campaign.ledger import Lease
from tools.campaign.views import is_over, set_aside
from tools.campaign.work import Engine, Killed, Result
from tools.terminal.exits import Exit, Refusal, Unfinished

from ..tools.test_cli import call
from ..tools.test_processes import ROOT, start
from .engines import MORTAL, UNBINDING, WORLDS, begin, conducted, options_of, result_of

DASK = [sys.executable, "-m", "distributed.cli.{}", "--no-dashboard"]


IMPATIENT = "import tools.campaign.cluster as it; it.PATIENCE = 0.2; from tools.cli import main; main()"


def dask(program: str, *arguments: str) -> subprocess.Popen[str]:
    command = [part.format(program) for part in DASK]
    quiet = {**os.environ, "DASK_LOGGING__DISTRIBUTED": "error", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([*command, *arguments], cwd=ROOT, env=quiet, stderr=subprocess.DEVNULL, text=True)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler's address, and the processes: the scheduler and two workers."""
    file = tmp_path / "scheduler.json"
    scheduler = dask("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-show", "--scheduler-file", str(file))
    workers = [
        dask("dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny") for _ in range(2)
    ]  # they wait for the file
    processes = [scheduler, *workers]
    while not file.exists() or not file.read_text():
        assert scheduler.poll() is None
    yield json.loads(file.read_text())["address"], processes
    for process in processes:
        process.kill()
        process.wait()


class Watched:
    """An engine; `at` is called with the number of results so far."""

    def __init__(self, engine: Engine, at: dict[int, subprocess.Popen[str]]) -> None:
        self._engine = engine
        self._at = at
        self._results = 0
        self.submit, self.close = engine.submit, engine.close

    @property
    def free(self) -> int:
        return self._engine.free

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        found = self._engine.wait(seconds)
        for _ in found:
            self._results += 1
            if self._results in self._at:
                self._at[self._results].send_signal(signal.SIGKILL)
        return found


class Lost:
    """A client of Dask, and work that was done by a worker which died before anybody asked for the result."""

    id, status = "client", "running"

    def nthreads(self) -> dict[str, int]:
        return {"tcp://worker": 1}

    def submit(self, *_: object, **__: object) -> Lost:
        return self

    def add_done_callback(self, done: Callable[[Lost], None]) -> None:
        done(self)

    def result(self, timeout: float) -> Result:
        raise TimeoutError(f"timed out after {timeout} s.")


def test_a_result_that_died_with_its_worker_is_made_again_unless_the_scheduler_is_gone() -> None:
    client = Lost()
    engine = Cluster(client)
    lease = Lease(task=Shard(cell=CANARY, number=0, seed=0, schedules=1), cell=0)
    engine.submit(lease)
    assert engine.wait(0) == [(lease, Killed("its Dask worker died with its result"))]
    client.status = "closed"
    engine.submit(lease)
    with pytest.raises(Unfinished, match="the Dask scheduler is gone"):
        engine.wait(0)


def test_the_same_findings_though_a_worker_is_killed_and_what_kills_workers_is_set_aside(
    cluster: tuple[str, list[subprocess.Popen[str]]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, (scheduler, worker, _) = cluster
    options = options_of(UNBINDING, f"{WORLDS}::lock_order", "tlbi-vs-atc", schedules=150, size=30)
    with begin(tmp_path / "local", options) as local, begin(tmp_path / "dask", options) as remote:
        conducted(local)
        conducted(remote, Watched(make_engine("dask", 2, address), {5: worker}))
        assert worker.wait(60) == -signal.SIGKILL
        assert result_of(remote) == result_of(local)
        assert is_over(remote)
    with begin(tmp_path / "lost", options) as lost:
        monkeypatch.setattr("tools.campaign.cluster.PATIENCE", 1.0)
        with pytest.raises(Unfinished, match="campaign: the Dask scheduler is gone"):
            conducted(lost, Watched(make_engine("dask", 2, address), {3: scheduler}))
        assert not is_over(lost)
        conducted(lost)
        with begin(tmp_path / "again", options) as again:
            conducted(again)
            assert result_of(lost) == result_of(again)


def test_a_cluster_of_ones_own_survives_what_kills_its_workers(tmp_path: Path) -> None:
    options = options_of(MORTAL, params=["kills=always,never"], schedules=5, size=5)
    with begin(tmp_path, options) as store:
        conducted(store, make_engine("dask", 1, None))
        assert [one.reason for one in set_aside(store)] == ["its Dask workers died, 3 times"]
        assert store.one("SELECT sum(schedules) FROM shards WHERE cell = 2") == 5


def test_ctrl_c_is_for_the_coordinator_of_a_cluster_of_ones_own(tmp_path: Path) -> None:
    arguments = (
        UNBINDING,
        "-p",
        "drain=full",
        "--strategy",
        "walk",
        "--size",
        "20",
        "--budget",
        "8h",
        "--engine",
        "dask",
        "-j",
        "2",
    )
    campaign = start("campaign", "start", str(tmp_path / "c"), *arguments)
    assert campaign.stderr is not None
    while "shards 0" in campaign.stderr.readline():
        pass  # now the workers are at work
    os.killpg(campaign.pid, signal.SIGINT)
    _, said = campaign.communicate(timeout=60)
    assert campaign.returncode == Exit.INTERRUPTED
    assert [line.partition(" ")[0] for line in said.splitlines() if "schedules" not in line] == ["stopmarker:"]


def test_a_scheduler_that_is_not_there_is_said_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tools.campaign.cluster.PATIENCE", 0.2)
    with pytest.raises(Refusal, match=r"reach the Dask scheduler tcp://127.0.0.1:1: "):
        make_engine("dask", 1, "tcp://127.0.0.1:1")
    result = call(
        "campaign", "start", str(tmp_path / "c"), UNBINDING, "--engine", "dask", "--scheduler", "nonsense://x"
    )
    assert result.exit_code == Exit.USAGE
    assert not (tmp_path / "c").exists()
    arguments = ("campaign", "start", str(tmp_path / "c"), UNBINDING, "--engine", "dask", "--scheduler", "foo")
    done = subprocess.run([sys.executable, "-c", IMPATIENT, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.stderr == "stopmarker: reach the Dask scheduler foo: missing port number in address 'foo'\n"
