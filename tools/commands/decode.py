"""`stopmarker decode`: what lines of dmesg or ftrace say, record by record, and what each of them rules out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from loguru import logger

from tools.logs.decoding import MOST_BYTES
from tools.logs.decoding import decode as decoded
from tools.logs.telling import WIDTH, document, lines_of
from tools.own_files.regular import read_regular, read_stdin
from tools.terminal.exits import Exit, Refusal
from tools.terminal.interrupt import stop_request
from tools.terminal.output import Output

STDIN = "-"
_NARROWEST = 40


def main(out: Output, *, log: str) -> Exit:
    """Decode a log; NOTHING_SELECTED if no line of it is about an IOMMU."""
    with stop_request() as stop:
        found = decoded(read_log(log, stop.check), stop.check)
    out.lines(list(lines_of(found, _width())))
    out.document("decoded-log", document(found))
    return Exit.NOTHING_VIOLATED if found.records or found.unknown else Exit.NOTHING_SELECTED


def _width() -> int:
    """Columns of the terminal, as far as lines are easy to read."""
    return max(_NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 24)).columns))


def read_log(log: str, check: Callable[[], None]) -> bytes:
    """The bytes of a log, or of stdin; Refusal with one clear line if they cannot be read."""
    name = "stdin" if log == STDIN else log
    logger.info("read {} to its end", name)
    try:
        return read_stdin(MOST_BYTES, check) if log == STDIN else read_regular(Path(log), MOST_BYTES)
    except (OSError, ValueError) as error:
        raise Refusal(f"read {name}: {getattr(error, 'strerror', None) or error}") from None
