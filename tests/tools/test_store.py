"""Trace files: written whole or not at all, never over another file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tools.terminal.exits import Refusal
from tools.traces.container import encode
from tools.traces.store import check_writable, file_name, load, save
from tools.traces.trace import TraceError

from .runs import run, violating


def test_a_saved_trace_is_loaded_again(tmp_path: Path) -> None:
    trace = violating("unbinding")
    path = save(trace, tmp_path / "new" / "folder")
    assert path.name == file_name(trace, encode(trace))
    assert path.name.startswith("unbinding-no-cross-")
    assert load(path) == trace
    assert list(path.parent.iterdir()) == [path]


def test_saving_twice_writes_once(tmp_path: Path) -> None:
    first = save(violating("unbinding"), tmp_path)
    before = first.stat().st_mtime_ns
    assert save(violating("unbinding"), tmp_path) == first
    assert first.stat().st_mtime_ns == before


def test_another_file_of_that_name_is_left_alone(tmp_path: Path) -> None:
    trace = violating("unbinding")
    taken = tmp_path / file_name(trace, encode(trace))
    taken.write_bytes(b"precious")
    path = save(trace, tmp_path)
    assert path == taken.with_stem(f"{taken.stem}-2")
    assert taken.read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("error", "told", "text"),
    [
        (KeyboardInterrupt("pressed"), KeyboardInterrupt, "^pressed$"),
        (OSError(28, "No space left on device"), Refusal, "^write .*: No space left on device$"),
    ],
)
def test_a_write_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, told: type[BaseException], text: str
) -> None:
    def fail(_: Any) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(told, match=text):
        save(run("ending"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["file", "file/below"])
def test_a_folder_that_is_a_file_is_refused_before_the_hunt(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refusal, match="is not a directory"):
        check_writable(tmp_path / folder)
    with pytest.raises(Refusal, match="write a trace into"):
        save(run("ending"), tmp_path / folder)


def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    with pytest.raises(Refusal, match="is not writable"):
        check_writable(tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no file system here that refuses even the superuser")
def test_a_folder_that_cannot_be_made_is_refused_whatever_rights_say() -> None:
    with pytest.raises(Refusal, match=r"write traces into /proc/new: /proc is not writable \("):
        check_writable(Path("/proc/new"))


@pytest.mark.parametrize("name", ["missing.smt", "."])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TraceError, match=r"read .*: (No such file|Is a directory)"):
        load(tmp_path / name)


def test_what_is_no_trace_is_named(tmp_path: Path) -> None:
    path = tmp_path / "letter.smt"
    path.write_text("Dear list,")
    with pytest.raises(TraceError, match=r"letter\.smt: read trace: not a stopmarker trace"):
        load(path)
