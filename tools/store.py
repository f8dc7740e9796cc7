"""Trace files on disk: written whole or not at all, never over another file, read with a cap on their size."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from .container import MAX_FILE, decode, encode
from .exits import Refusal
from .printable import one_line
from .regular import read_regular
from .trace import Trace, TraceError

SUFFIX = ".smt"
_LONGEST_NAME = 40


def file_name(trace: Trace, data: bytes) -> str:
    """Scenario, property and the first digits of the content's hash: the same run has the same name everywhere."""
    # Of a user's `./file.py::name` the name says most; the path is where the file was, not what was found.
    scenario = _slug(trace.scenario.rpartition("::")[2])
    oracle = _slug(trace.finding.oracle if trace.finding else trace.outcome)
    return f"{scenario}-{oracle}-{hashlib.sha256(data).hexdigest()[:8]}{SUFFIX}"


def save(trace: Trace, folder: Path) -> Path:
    """Write a trace under its own name into `folder`; a file that is there already is left as it is."""
    data = encode(trace)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = _free_path(folder / file_name(trace, data), data)
        if not path.exists():
            write_bytes(path, data)
    except OSError as error:
        raise Refusal(f"write a trace into {folder}: {error.strerror or error}") from None
    return path


def load(path: Path) -> Trace:
    """Read a trace file; TraceError with one clear line if there is none."""
    return load_with_bytes(path)[0]


def load_with_bytes(path: Path) -> tuple[Trace, bytes]:
    """A trace file as a trace and as it stands on the disk; TraceError with one clear line if there is none."""
    try:
        data = read_regular(path, MAX_FILE)
    except (OSError, ValueError) as error:
        raise TraceError(f"read {path}: {getattr(error, 'strerror', None) or error}") from None
    try:
        return decode(data), data
    except TraceError as problem:
        raise TraceError(one_line(f"{path}: {problem}")) from None


def check_writable(folder: Path) -> None:
    """Refusal if nothing could be written into `folder`, which need not exist yet: better now than after the hunt."""
    place = folder.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    if not place.is_dir():
        raise Refusal(f"write traces into {folder}: {place} is not a directory")
    try:
        Path(tempfile.mkdtemp(dir=place, prefix=".stopmarker-")).rmdir()  # rights do not say all: a disk may be full
    except OSError as error:
        raise Refusal(f"write traces into {folder}: {place} is not writable ({error.strerror or error})") from None


def _free_path(path: Path, data: bytes) -> Path:
    """`path`, or with a number behind where a different file has that name."""
    candidate = path
    number = 2
    while candidate.exists() and candidate.read_bytes() != data:
        candidate = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return candidate


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: under another name first, then moved into place."""
    temporary = Path(tempfile.mktemp(dir=path.parent, prefix=".stopmarker-", suffix=".tmp"))
    file = temporary.open("xb")
    try:
        with file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:  # Ctrl-C too: half a file is never left behind
        temporary.unlink(missing_ok=True)
        raise


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "run"
