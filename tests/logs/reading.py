"""How the tests of this drawer read a log."""

from __future__ import annotations

from pathlib import Path

from tools.logs.decoding import DecodedLog, decode
from tools.logs.log_record import LogRecord

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.log"))


def read(*lines: str) -> DecodedLog:
    return decode("\n".join(lines).encode())


def records(*lines: str) -> list[LogRecord]:
    """The records of a log in which every line is understood."""
    log = read(*lines)
    assert (log.not_understood, log.others) == (0, 0)
    return log.records


def only(*lines: str) -> LogRecord:
    (record,) = records(*lines)
    return record


def says(record: LogRecord, *words: str) -> bool:
    """Whether each of the words stands in what the record says of itself."""
    text = " ".join([record.title, *record.notes, *record.rules_out])
    return all(word in text for word in words)
