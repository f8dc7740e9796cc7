"""`stopmarker decode`: what it prints, its document, its exit codes, and what it refuses to read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tools.cli import cli
from tools.logs.decoding import MOST_BYTES
from tools.terminal.exits import Exit

from .reading import SAMPLES
from .test_smmu_lines import STALLED, UNIT, raw

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-c", "from tools.entry import main; main()", "decode"]


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["decode", *words])


def test_a_log_as_text_and_as_a_document() -> None:
    (path,) = (str(path) for path in SAMPLES if path.stem == "made-up")
    result = call(path)
    assert result.exit_code == Exit.NOTHING_VIOLATED
    assert max(map(len, result.stdout.splitlines())) <= 100
    found = json.loads(call(path, "--json").stdout)
    assert (found["format"], found["version"], len(found["records"])) == ("stopmarker-decoded-log", 1, 3)
    assert found["lost"] == {"smmuv3-overflow": None}
    assert found["records"][2]["fields"]["STAG"] == 3
    assert found["counted"] == {"lines": 12, "not_understood": 0, "boot": 0, "others": 0, "comments": 1, "cut": 0}


@pytest.mark.parametrize("columns", [40, 80])
def test_text_fits_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for path in SAMPLES:
        long = [line for line in call(str(path)).stdout.splitlines() if len(line) > columns]
        assert all(" " not in line.strip() for line in long), "only a word that is longer than a line may stand out"


def test_a_log_about_other_things_selects_nothing(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for text in ("", "usb 1-1: new device\n", "\0\0\0"):
        log.write_text(text)
        result = call(str(log))
        assert result.exit_code == Exit.NOTHING_SELECTED
        assert "0 records" in result.stdout


def test_control_characters_are_printed_as_escapes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        f"{UNIT}event: \x1b[2JF client: a\x1b]0;x\x07 sid: 0x1 ssid: 0x0\n"
        f"DMAR: \x1b[31mnew\x9b\n{UNIT}CMDQ error (cons 0x01000000): \x1b[2J\u202e\n"
    )
    for words in ((), ("--json",)):
        shown = call(str(log), *words).stdout
        assert "\\x1b" in shown or "\\u001b" in shown
        assert all(line.isprintable() for line in shown.split("\n"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere", "No such file or directory"),
        ("fifo", "it is no regular file"),
        ("folder", "Is a directory"),
        ("/dev/zero", "it is no regular file"),
        ("large", f"it has more than {MOST_BYTES:,} bytes, the most that is read"),
        ("a\0b", "embedded null byte"),
    ],
)
def test_what_is_refused(name: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    Path("folder").mkdir()
    with Path("large").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    result = call(name)
    assert (result.exit_code, result.stdout) == (Exit.USAGE, "")
    assert result.stderr.count("\n") == 1
    assert result.stderr.endswith(f": {reason}\n")


def test_stdin_is_read_to_its_end() -> None:
    text = "\n".join(raw(0x10, STALLED)).encode()
    done = subprocess.run([*COMMAND, "-"], cwd=ROOT, input=text, capture_output=True, check=False)
    assert done.returncode == Exit.NOTHING_VIOLATED
    assert b"1-5 arm-smmu-v3.0.auto: F_TRANSLATION (0x10)" in done.stdout


def test_stdin_without_an_end_is_refused() -> None:
    with Path("/dev/zero").open("rb") as zeros:
        done = subprocess.run([*COMMAND, "-"], cwd=ROOT, stdin=zeros, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (Exit.USAGE, b"")
    assert (
        done.stderr
        == f"stopmarker: read stdin: it has more than {MOST_BYTES:,} bytes, the most that is read\n".encode()
    )


def test_ctrl_c_ends_the_wait_for_stdin() -> None:
    environment = {**os.environ, "LOGURU_LEVEL": "DEBUG"}
    command = [*COMMAND, "-", "-v"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as waiting:
        assert waiting.stderr is not None
        assert b"stdin" in waiting.stderr.readline()
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(timeout=60) == Exit.INTERRUPTED
