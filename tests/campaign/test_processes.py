"""Campaigns as real processes, killed for real: workers, coordinators, everything; and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.campaign.campaign import CampaignRun
from tools.campaign.cells import CampaignOptions, make_matrix
from tools.campaign.ledger import Lease
from tools.campaign.store import open_to_read, open_to_write, running
from tools.campaign.views import is_over, set_aside, verdict
from tools.campaign.work import Killed, Result
from tools.campaign.workers import Workers
from tools.terminal.exits import Exit, Unfinished
from tools.terminal.interrupt import StopRequest

from ..tools.test_cli import document
from ..tools.test_processes import ROOT, start
from .engines import MORTAL, UNBINDING, WORLDS, begin, conducted, options_of, result_of

SAFE = ("-p", "drain=full", "--strategy", "walk")


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[object, ...]]]:
    """What an undisturbed campaign comes to."""
    with begin(tmp_path_factory.mktemp("whole"), options()) as store:
        conducted(store)
        return result_of(store)


def options() -> CampaignOptions:
    return options_of(UNBINDING, f"{WORLDS}::lock_order", schedules=150, size=10)


class Hunted(Workers):
    """One of its processes is killed at the third result and one at the ninth."""

    def __init__(self, jobs: int) -> None:
        super().__init__(jobs)
        self.results = 0
        self.killed: list[int] = []

    def wait(self, seconds: float) -> Sequence[tuple[Lease, Result]]:
        found = super().wait(seconds)
        for _ in found:
            self.results += 1
            if self.results in (3, 9):
                self.killed.append(self.processes[0])
                os.kill(self.killed[-1], signal.SIGKILL)
        return found


def test_two_workers_come_to_the_same_though_they_are_killed(tmp_path: Path, wanted: dict[str, Any]) -> None:
    workers = Hunted(2)
    with begin(tmp_path, options()) as store:
        conducted(store, workers)
        assert len(set(workers.killed)) == 2
        assert result_of(store) == wanted
    assert workers.processes == []


def test_a_coordinator_that_is_killed_again_and_again_loses_nothing(tmp_path: Path, wanted: dict[str, Any]) -> None:
    begin(tmp_path, options()).close()
    for results in (3, 4, 8):
        program = [sys.executable, "-m", "tests.campaign.session", str(tmp_path), str(results)]
        assert subprocess.run(program, cwd=ROOT, check=False).returncode == -signal.SIGKILL
        assert not running(tmp_path)
        with open_to_read(tmp_path) as seen:
            assert not is_over(seen)
    with open_to_write(tmp_path) as store:
        assert store.one("SELECT count(*) FROM shards WHERE state = 'done'") >= 3 - 1 + 4 + 8 - 3
        conducted(store)
        assert result_of(store) == wanted


def test_workers_end_with_a_coordinator_that_is_killed(tmp_path: Path) -> None:
    campaign = start("campaign", "start", str(tmp_path / "c"), UNBINDING, "--budget", "8h", *SAFE, "-j", "2")
    assert campaign.stderr is not None
    while "shards 0" in campaign.stderr.readline():
        pass  # now the workers are at work
    campaign.kill()
    campaign.communicate(timeout=60)  # returns when nobody holds the other end of stderr any more


def test_ctrl_c_says_how_to_go_on_and_that_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "a campaign"
    begun = ("start", str(folder), UNBINDING, "--budget", "8h", *SAFE, "-j", "2")
    for command, number in ((begun, signal.SIGTERM), (("resume", str(folder)), signal.SIGINT)):
        campaign = start("campaign", *command)
        assert campaign.stderr is not None
        while "shards 0" in campaign.stderr.readline():
            pass  # now the workers are at work
        os.killpg(campaign.pid, number)
        _, said = campaign.communicate(timeout=60)
        assert campaign.returncode == Exit.INTERRUPTED
        assert "Traceback" not in said
        last = said.splitlines()[-1]
        assert last.startswith("stopmarker: interrupted after ")
        assert last.endswith(f"continue: stopmarker campaign resume '{folder}'")
        with open_to_read(folder) as store:
            assert not is_over(store)
            assert store.one("SELECT count(*) FROM shards WHERE state = 'leased'") == 0


def test_a_shard_that_kills_its_workers_is_set_aside_and_the_others_are_done(tmp_path: Path) -> None:
    cells = make_matrix([MORTAL], ["kills=always,never", "n=2"], ["walk"], size=5, schedules=10)
    with begin(tmp_path, CampaignOptions(cells=cells, schedules=10)) as store:
        session = CampaignRun(store, Workers(1), StopRequest())
        session.run()
        reason = "its worker ended with exit code -9, 3 times"
        label = f"{MORTAL} n=2 [walk]"
        assert [(one.what, one.reason) for one in set_aside(store)] == [
            (f"shard {number} of {label}", reason) for number in (0, 1)
        ]
        assert store.one("SELECT sum(schedules) FROM shards WHERE cell = 2") == 10
        assert verdict(store) == ("incomplete", Exit.INCONCLUSIVE)


def test_what_ends_its_process_never_ends_the_coordinator(tmp_path: Path) -> None:
    code, made = document("campaign", "start", str(tmp_path / "c"), MORTAL, "-p", "kills=quits", "--schedules", "20")
    assert (code, made["verdict"]) == (Exit.INCONCLUSIVE, "incomplete")
    reason = "its worker ended with exit code 7, 3 times"
    assert made["set_aside"] == [
        {"what": f"shard 0 of {MORTAL} kills=quits [portfolio]", "reason": reason, "token": None}
    ]


def test_ctrl_c_before_a_campaign_has_begun_leaves_nothing(tmp_path: Path) -> None:
    campaign = start("campaign", "start", str(tmp_path / "c"), MORTAL, "-p", "kills=hangs")
    assert campaign.stderr is not None
    assert campaign.stderr.readline() == "here it hangs\n"
    os.killpg(campaign.pid, signal.SIGINT)
    _, said = campaign.communicate(timeout=60)
    assert campaign.returncode == Exit.INTERRUPTED
    assert said == "stopmarker: interrupted after 0 schedules; nothing was made\n"
    assert not (tmp_path / "c").exists()


def test_work_that_hangs_is_killed_in_the_end() -> None:
    (cell,) = make_matrix([MORTAL], ["kills=hangs"], ["walk"], size=5)
    workers = Workers(1, longest=0.2)
    workers.submit(Lease(task=CampaignOptions(cells=(cell,)).shard(1, 0), cell=1))
    while not (found := workers.wait(0.1)):
        pass
    workers.close()
    assert found[0][1] == Killed("its worker ended with exit code -9", 1)


def test_no_room_for_another_byte_stops_it_and_a_resume_comes_to_the_same(
    tmp_path: Path, wanted: dict[str, Any]
) -> None:
    begin(tmp_path, options()).close()
    code = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from tests.campaign.engines import conducted\nfrom tools.campaign.store import open_to_write\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, resource.RLIM_INFINITY))\n"
        "with open_to_write(Path(sys.argv[1])) as store: conducted(store)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"{Unfinished.__module__}.Unfinished: ")
    assert "; is the disk full? (nothing booked is lost: " in last
    with open_to_write(tmp_path) as store:
        assert not is_over(store)
        conducted(store)
        assert result_of(store) == wanted


def test_every_finding_comes_with_the_command_that_makes_it_again(tmp_path: Path) -> None:
    scenarios = (UNBINDING, f"{WORLDS}::lock_order", f"{WORLDS}::broken_oracle", "mm-pin")
    arguments = ("--schedules", "60", "--size", "20", "-j", "2")
    code, made = document("campaign", "start", str(tmp_path / "c"), *scenarios, *arguments)
    assert (code, made["format"], made["over"]) == (Exit.VIOLATED, "stopmarker-campaign", True)
    found = [finding for bucket in made["buckets"] for finding in bucket["findings"]]
    assert len(found) == 4
    for finding in found:
        command = finding["rerun"].split()
        assert command[:2] == ["stopmarker", "replay"]
        code, again = document(*command[1:])
        expected = Exit.ERROR if "KeyError" in finding["message"] else Exit.VIOLATED
        assert (code, again["finding"]["message"]) == (expected, finding["message"])
