"""The store on disk: what is said, and that nothing is damaged, if it is not there, not ours, in use, or read-only."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tools.campaign.store import FILE, FINDINGS, VERSION, CampaignStore, create, open_to_read, open_to_write, running
from tools.campaign.views import is_over, status
from tools.terminal.exits import Exit, Refusal, Unfinished

from ..tools.test_cli import call, document
from ..tools.test_processes import ROOT
from .engines import UNBINDING, begin, conducted, options_of, result_of

HOLD = (
    "import sys\nfrom pathlib import Path\n"
    "from tools.campaign.store import open_to_write\nfrom tools.campaign.views import status\n"
    "store = open_to_write(Path(sys.argv[1]))\nassert status(store).running\n"
    "print('held', flush=True)\nsys.stdin.read()"
)
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A campaign that is over."""
    made = tmp_path / "campaign"
    with begin(made, options_of(UNBINDING)) as store:
        conducted(store)
    return made


def refusal(*arguments: str) -> str:
    result = call("campaign", *arguments)
    assert result.exit_code == Exit.USAGE
    (line,) = result.stderr.splitlines()
    return line.removeprefix("stopmarker: ")


@pytest.mark.parametrize("command", ["resume", "status", "findings", "show"])
def test_a_directory_without_a_campaign(command: str, tmp_path: Path) -> None:
    said = refusal(command, str(tmp_path / "none"))
    assert said == f"open campaign {tmp_path / 'none'}: there is none (no {FILE}); `campaign start` makes one"


@pytest.mark.parametrize("command", ["resume", "status"])
def test_a_store_of_a_newer_version_is_left_alone(command: str, folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    before = (folder / FILE).read_bytes()
    said = refusal(command, str(folder))
    assert said == (
        f"open campaign {folder}: store version {VERSION + 1}, this stopmarker reads {VERSION}; "
        "a newer stopmarker wrote it"
    )
    assert (folder / FILE).read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database at all, and long enough to be looked at" * 9])
def test_a_file_that_is_no_campaign_is_left_alone(content: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert f"{FILE} is not a campaign" in refusal("status", str(tmp_path))
    assert f"{FILE} is not a campaign" in refusal("resume", str(tmp_path))
    assert (tmp_path / FILE).read_bytes() == content


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    assert refusal("status", str(tmp_path)).endswith(f"{FILE} is not a campaign")
    with pytest.raises(Refusal, match="it holds one already"):
        create(tmp_path, options_of(UNBINDING), {})


def test_a_start_where_a_campaign_is_changes_nothing(folder: Path) -> None:
    before = (folder / FILE).read_bytes()
    said = refusal("start", str(folder), UNBINDING)
    assert "it holds one already (see `campaign status`); name another directory" in said
    assert (folder / FILE).read_bytes() == before


def test_a_start_that_was_killed_before_it_began_can_be_made_again(tmp_path: Path) -> None:
    (tmp_path / FILE).touch()
    with begin(tmp_path, options_of(UNBINDING)) as store:
        assert status(store).cells == 1


def test_a_start_that_fails_leaves_no_campaign(tmp_path: Path) -> None:
    def full(store: CampaignStore) -> None:
        store.run(f"PRAGMA max_page_count = {store.one('PRAGMA page_count')}")
        store.set_fact("too long", "x" * 100_000)

    with pytest.raises(Refusal, match=r"^use campaign .* full; free some space$"):
        create(tmp_path, options_of(UNBINDING), {}, full)
    assert "there is none" in refusal("resume", str(tmp_path))
    begin(tmp_path, options_of(UNBINDING)).close()


def test_a_damaged_store_is_named_with_what_is_left(tmp_path: Path) -> None:
    begin(tmp_path, options_of(UNBINDING)).close()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek(4_096)
        file.write(b"?" * 40_000)
    said = refusal("status", str(tmp_path))
    assert said.startswith(f"open campaign {tmp_path}: it is damaged (")
    assert said.endswith(f"); start anew in another directory (what {tmp_path}/{FINDINGS} has still replays)")


def test_two_coordinators_in_one_directory(folder: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert running(folder)
    said = refusal("resume", str(folder))
    assert said == (f"use the campaign in {folder}: process {holder.pid} is running it; wait, stop it, or name another")
    assert document("campaign", "status", str(folder))[1]["running"]
    holder.kill()  # the lock goes with whoever holds it, however that ends
    holder.communicate()
    assert not running(folder)
    with open_to_write(folder) as store:
        assert is_over(store)


def test_a_reader_disturbs_nobody_and_sees_what_was_booked(folder: Path) -> None:
    with open_to_write(folder) as store, open_to_read(folder) as reader:
        store.set_fact("seconds", 77.0)
        assert reader.fact("seconds") == 77.0
        with store.writes():
            store.set_fact("seconds", 78.0)
            assert reader.fact("seconds") == 77.0
        assert reader.fact("seconds") == 78.0
        with pytest.raises(Refusal, match="attempt to write a readonly database"):
            reader.set_fact("seconds", 0)


def test_a_transaction_is_whole_or_not_at_all(folder: Path) -> None:
    with open_to_write(folder) as store:
        before = store.fact("seconds")
        with pytest.raises(ZeroDivisionError), store.writes():
            store.set_fact("seconds", -1.0)
            raise ZeroDivisionError
        assert store.fact("seconds") == before


def test_a_full_disk_stops_it_and_a_resume_comes_to_the_same(tmp_path: Path) -> None:
    options = options_of("unbind-window", params=["drain=none"], schedules=20)
    with begin(tmp_path / "whole", options) as whole:
        conducted(whole)
        wanted = result_of(whole)
    with begin(tmp_path / "full", options) as store:
        pages = store.one("PRAGMA page_count")
        store.run(f"PRAGMA max_page_count = {pages}")  # for SQLite this is what a full disk is
        with pytest.raises(Unfinished, match=r"full; free some space \(nothing booked is lost: "):
            conducted(store)
        assert not is_over(store)
    with open_to_write(tmp_path / "full") as store:
        conducted(store)
        assert result_of(store) == wanted


def as_anybody(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it as somebody whom permissions hold back; the superuser reads and writes everything."""
    drop = f"import os\nif os.getuid() == 0: os.setgid({NOBODY}); os.setuid({NOBODY})\n"
    modules = "from tools.commands import campaign_resume, campaign_start, campaign_status\nimport tools.terminal.log\n"
    main = "from tools.cli import main\n"
    return subprocess.run(
        [sys.executable, "-c", f"{modules}{main}{drop}{code}", *arguments], cwd=ROOT, capture_output=True, text=True
    )


@pytest.mark.skipif(
    os.getuid() == 0 and not all(place.stat().st_mode & 0o001 for place in (ROOT, *ROOT.parents)),
    reason="only the superuser can read the program here, whom permissions do not hold back",
)
def test_a_read_only_directory_can_be_looked_at_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_uid == os.getuid() and "pytest-" in str(place):
            place.chmod(0o755)
    folder.chmod(0o555)
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    looked = as_anybody("main()", "campaign", "status", str(folder))
    assert (looked.returncode, looked.stderr) == (Exit.VIOLATED, "")
    assert f"campaign {folder}: over" in looked.stdout
    resumed = as_anybody("main()", "campaign", "resume", str(folder))
    assert resumed.returncode == Exit.USAGE
    assert resumed.stderr == f"stopmarker: continue the campaign in {folder}: the directory is read-only\n"
    started = as_anybody("main()", "campaign", "start", str(folder / "new"), UNBINDING)
    assert started.returncode == Exit.USAGE
    assert started.stderr.endswith("is not writable (Permission denied)\n")
    folder.chmod(0o755)
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_directory_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert refusal("start", str(tmp_path / "file" / "x"), UNBINDING).endswith("is not a directory")


def damaged(data: bytes, number: int) -> bytes:
    """One of many: cut, with a few other bytes, or with a hole in it; which, is a function of the number alone."""
    at = number * 7_919 % len(data)
    if number % 3 == 0:
        return data[:at]
    if number % 3 == 1:
        return data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
    return data[:at] + b"\xff" * 40 + data[at + 40 :]


@pytest.mark.parametrize("number", range(12))
def test_whatever_is_damaged_each_command_says_so_in_one_line_or_does_its_work(number: int, folder: Path) -> None:
    data = damaged((folder / FILE).read_bytes(), number)
    for command in (["status"], ["findings"], ["show"], ["export", "--format", "junit"]):
        (folder / FILE).write_bytes(data)
        result = call("campaign", *command, str(folder))
        assert result.exit_code in (Exit.NOTHING_VIOLATED, Exit.VIOLATED, Exit.USAGE)
        assert len(result.stderr.splitlines()) == (result.exit_code == Exit.USAGE)
        assert "internal error" not in result.stderr


KILLED = (
    "import os, signal, sys\nfrom pathlib import Path\nfrom tools.campaign import store\n"
    "from tests.campaign.engines import UNBINDING, options_of\n"
    "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
    "if sys.argv[2] == 'before': Path.rename = die\n"
    "else: store.os.lockf, store._settle = store.os.lockf, (lambda s, wal=True: die() if wal else None)\n"
    "store.create(Path(sys.argv[1]), options_of(UNBINDING), {'code': '', 'seconds': 0.0})\n"
)


@pytest.mark.parametrize("when", ["before", "behind"])
def test_a_kill_while_it_is_made_leaves_nothing_or_a_campaign(when: str, tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder), when], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    if when == "before":
        assert refusal("status", str(folder)).endswith("`campaign start` makes one")
        begin(folder, options_of(UNBINDING)).close()
    with open_to_write(folder) as store:
        assert status(store).cells == 1
    assert sorted(path.name for path in folder.iterdir()) == ["campaign.lock", FILE]


def test_a_campaign_whose_directory_is_renamed_ends_with_one_line(tmp_path: Path) -> None:
    options = options_of(UNBINDING)
    with begin(tmp_path / "old", options) as store:
        (tmp_path / "old").rename(tmp_path / "new")
        with pytest.raises(Refusal, match=r"^campaign .*old: it was moved or deleted while it ran; what it has booked"):
            conducted(store)
    assert not (tmp_path / "old").exists()
    with open_to_write(tmp_path / "new") as store:
        conducted(store)
        assert is_over(store)
